// Who speaks: the resource of all telemetry. The service is named after the first server of the process unless told
// otherwise, and command line and user name stay out, since they hold secrets and people.
import { getStringFromEnv, parseKeyPairsIntoRecord } from '@opentelemetry/core';
import {
  defaultResource,
  envDetector,
  hostDetector,
  osDetector,
  processDetector,
  resourceFromAttributes,
  serviceInstanceIdDetector,
  type Resource,
  type ResourceDetector,
} from '@opentelemetry/resources';
import { whenServerKnown, type ServerInfo } from '../state/servers.ts';
import { defined } from './defined.ts';

const UNNAMED = 'unknown_service:node';
const LONGEST_WAIT_MS = 10_000;

const PRIVATE = new Set(['process.command', 'process.command_args', 'process.command_line', 'process.owner']);

const discreetProcessDetector: ResourceDetector = {
  detect(config) {
    const { attributes = {} } = processDetector.detect(config);
    return { attributes: Object.fromEntries(Object.entries(attributes).filter(([key]) => !PRIVATE.has(key))) };
  },
};

/** The detectors used unless `OTEL_NODE_RESOURCE_DETECTORS` names others; undefined where it does. */
export function resourceDetectors(): ResourceDetector[] | undefined {
  if (getStringFromEnv('OTEL_NODE_RESOURCE_DETECTORS') !== undefined) return undefined;
  return [serviceInstanceIdDetector, discreetProcessDetector, hostDetector, osDetector, envDetector];
}

/** The resource of a process, and what ends the wait for its server's name. */
export interface ServiceResource {
  readonly resource: Resource;
  /** Says that something waits to be exported: from then on the server has 10 s to appear. */
  readonly wanted: () => void;
  /** Settles the name now: the process is about to end. */
  readonly settle: () => void;
}

/** The resource to start with; a service that was not named takes the name and version of the first server. */
export function serviceResource(serviceName: string | undefined, serviceVersion: string | undefined): ServiceResource {
  const given = { 'service.name': serviceName ?? environmentServiceName(), 'service.version': serviceVersion };
  const { promise: server, resolve } = Promise.withResolvers<ServerInfo | undefined>();
  const settle = () => resolve(undefined);
  if (given['service.name'] === undefined) {
    whenServerKnown(resolve);
  } else {
    settle();
  }
  const attributes =
    given['service.name'] === undefined
      ? {
          'service.name': server.then((info) => info?.name ?? UNNAMED),
          'service.version': serviceVersion ?? server.then((info) => info?.version),
        }
      : defined(given);
  let waiting: NodeJS.Timeout | undefined;
  const wanted = () => {
    waiting ??= setTimeout(settle, LONGEST_WAIT_MS).unref();
  };
  return { resource: defaultResource().merge(resourceFromAttributes(attributes)), wanted, settle };
}

function environmentServiceName(): string | undefined {
  const attributes = parseKeyPairsIntoRecord(getStringFromEnv('OTEL_RESOURCE_ATTRIBUTES'));
  return getStringFromEnv('OTEL_SERVICE_NAME') ?? attributes['service.name'];
}
