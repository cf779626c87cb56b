// What all operations of one kind have in common, worked out once: span name, fixed attributes, metric label sets.
import type { Attributes } from '@opentelemetry/api';
import { cut } from '../redaction/cut.ts';
import type { Ending } from '../protocol/outcome.ts';
import { KNOWN_METHODS, targetKindOf } from '../protocol/method.ts';
import { ATTR_TOOLSPAN_ERROR_CODE, ATTR_TOOLSPAN_OUTCOME, OTHER } from './names.ts';
import {
  ATTR_ERROR_TYPE,
  ATTR_GEN_AI_OPERATION_NAME,
  ATTR_GEN_AI_PROMPT_NAME,
  ATTR_GEN_AI_TOOL_NAME,
  ATTR_MCP_METHOD_NAME,
  ATTR_MCP_PROTOCOL_VERSION,
  ATTR_MCP_SESSION_ID,
  ATTR_NETWORK_PROTOCOL_NAME,
  ATTR_NETWORK_TRANSPORT,
  ATTR_RPC_RESPONSE_STATUS_CODE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  GEN_AI_OPERATION_EXECUTE_TOOL,
} from './semconv.ts';
import { MAX_NAME } from './text.ts';

/** What is known of the wire below: `pipe` (stdio), `tcp` with `http`, or nothing (in memory). */
export interface Network {
  readonly transport: 'pipe' | 'tcp' | undefined;
  readonly protocol: 'http' | undefined;
  /** The server at the other end, where this side is the client and dialled it. */
  readonly server?: { readonly address: string; readonly port: number } | undefined;
}

/** Protocol revisions that may be a metric label; any other was made up by the peer. */
const KNOWN_VERSIONS: ReadonlySet<string> = new Set([
  '2024-10-07',
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
  '2026-07-28',
]);

const MAX_LABEL_SETS = 64;
const MAX_TARGETS = 1_000;

interface Described {
  readonly sessionId: string | undefined;
  readonly version: string | undefined;
  readonly attributes: Attributes;
}

/** One method, aimed at one tool or prompt or at none, over one kind of wire. */
export class OperationKind {
  readonly spanName: string;
  /** The method as a metric label. */
  readonly methodLabel: string;
  /** The registered tool or prompt; undefined where it is aimed at none. */
  readonly target: string | undefined;
  /** What a sampler may want to see. */
  readonly startAttributes: Attributes;
  readonly #labels: Attributes;
  readonly #labelSets = new Map<string, Attributes>();
  #lastVersion: string | undefined;
  #lastOk: Attributes | undefined;
  #lastSession: Described | undefined;

  constructor(method: string, target: string | undefined, network: Network) {
    this.target = target;
    this.methodLabel = KNOWN_METHODS.has(method) ? method : OTHER;
    this.spanName = target === undefined ? this.methodLabel : `${this.methodLabel} ${target}`;
    const labels: Attributes = { [ATTR_MCP_METHOD_NAME]: this.methodLabel };
    const targetKind = targetKindOf(method);
    if (target !== undefined) {
      labels[targetKind === 'prompt' ? ATTR_GEN_AI_PROMPT_NAME : ATTR_GEN_AI_TOOL_NAME] = target;
    }
    this.startAttributes = { ...labels };
    if (targetKind === 'tool') labels[ATTR_GEN_AI_OPERATION_NAME] = GEN_AI_OPERATION_EXECUTE_TOOL;
    this.#labels = { ...labels, ...networkLabels(network) };
  }

  /** What the span of every such operation says in this session, the start attributes included; not to be changed. */
  attributesIn(sessionId: string | undefined, version: string | undefined): Attributes {
    const last = this.#lastSession;
    if (last !== undefined && last.sessionId === sessionId && last.version === version) return last.attributes;
    const attributes = { ...this.#labels };
    if (version !== undefined) attributes[ATTR_MCP_PROTOCOL_VERSION] = cut(version, MAX_NAME);
    if (sessionId !== undefined) attributes[ATTR_MCP_SESSION_ID] = cut(sessionId, MAX_NAME);
    this.#lastSession = { sessionId, version, attributes };
    return attributes;
  }

  /** The metric labels of an operation that ended so; the same object for the same labels. */
  labelsFor(ending: Ending, version: string | undefined): Attributes {
    if (ending.outcome !== 'ok') return this.#labelSet(ending, version);
    if (this.#lastOk === undefined || this.#lastVersion !== version) {
      this.#lastOk = this.#labelSet(ending, version);
      this.#lastVersion = version;
    }
    return this.#lastOk;
  }

  #labelSet(ending: Ending, version: string | undefined): Attributes {
    const label = versionLabel(version);
    const type = ending.errorType === undefined ? undefined : cut(ending.errorType, MAX_NAME);
    const status = ending.statusCode === undefined ? undefined : String(ending.statusCode);
    // beyond the bound, types and status codes are no longer told apart; all else is of closed sets
    const full = this.#labelSets.size >= MAX_LABEL_SETS && !this.#labelSets.has(keyOf(ending, label, type, status));
    return full
      ? this.#kept(ending, label, type === undefined ? type : OTHER, status === undefined ? status : OTHER)
      : this.#kept(ending, label, type, status);
  }

  #kept(
    ending: Ending,
    version: string | undefined,
    errorType: string | undefined,
    statusCode: string | undefined,
  ): Attributes {
    const key = keyOf(ending, version, errorType, statusCode);
    let labels = this.#labelSets.get(key);
    if (labels !== undefined) return labels;
    labels = { ...this.#labels, [ATTR_TOOLSPAN_OUTCOME]: ending.outcome };
    if (version !== undefined) labels[ATTR_MCP_PROTOCOL_VERSION] = version;
    if (errorType !== undefined) labels[ATTR_ERROR_TYPE] = errorType;
    if (ending.errorCode !== undefined) labels[ATTR_TOOLSPAN_ERROR_CODE] = ending.errorCode;
    if (statusCode !== undefined) labels[ATTR_RPC_RESPONSE_STATUS_CODE] = statusCode;
    this.#labelSets.set(key, labels);
    return labels;
  }
}

function keyOf({ outcome, errorCode }: Ending, ...rest: readonly (string | undefined)[]): string {
  return `${outcome} ${errorCode} ${rest.join(' ')}`;
}

function networkLabels({ transport, protocol, server }: Network): Attributes {
  const labels: Attributes = {};
  if (server !== undefined) {
    labels[ATTR_SERVER_ADDRESS] = server.address;
    labels[ATTR_SERVER_PORT] = server.port;
  }
  if (transport !== undefined) labels[ATTR_NETWORK_TRANSPORT] = transport;
  if (protocol !== undefined) labels[ATTR_NETWORK_PROTOCOL_NAME] = protocol;
  return labels;
}

function versionLabel(version: string | undefined): string | undefined {
  return version === undefined || KNOWN_VERSIONS.has(version) ? version : OTHER;
}

/** All kinds seen over one kind of wire: bounded, even where tools are registered without end. */
export class OperationKinds {
  readonly #network: Network;
  readonly #byMethod = new Map<string, OperationKind>();
  readonly #byTarget = new Map<string, Map<string, OperationKind>>();

  constructor(network: Network) {
    this.#network = network;
  }

  /**
   * The kind of an operation.
   *
   * @param target a registered tool or prompt name, `_other`, or undefined; never a name the peer chose.
   */
  of(method: string, target: string | undefined): OperationKind {
    const known = KNOWN_METHODS.has(method) ? method : OTHER;
    if (target === undefined)
      return getOrAdd(this.#byMethod, known, () => new OperationKind(known, target, this.#network));
    const targets = getOrAdd(this.#byTarget, known, () => new Map<string, OperationKind>());
    const label = targets.size < MAX_TARGETS || targets.has(target) ? target : OTHER;
    return getOrAdd(targets, label, () => new OperationKind(known, label, this.#network));
  }

  /** The metric labels of a session under this protocol revision. */
  sessionLabels(version: string | undefined): Attributes {
    const labels = networkLabels(this.#network);
    const label = versionLabel(version);
    if (label !== undefined) labels[ATTR_MCP_PROTOCOL_VERSION] = label;
    return labels;
  }
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
