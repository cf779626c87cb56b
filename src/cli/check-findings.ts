// What `toolspan check` looks at, and what it finds: each finding with its mend.
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { ConfigError } from '../config/config-error.ts';
import { readConfigFile } from '../config/config-file.ts';
import { otlpEndpoints, type OtlpEndpoint } from '../config/otlp-endpoints.ts';
import { readSettings } from '../config/settings.ts';
import { isSupported } from '../node-version.ts';
import { StartError } from '../proxy/server-process.ts';
import { probeServer, type ServerProbe, type Start } from '../proxy/server-probe.ts';
import { withoutCredentials } from '../redaction/address.ts';
import { wordComplaints } from './settings-flags.ts';

/** One finding. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly found: string;
  /** What to do about it. */
  readonly mend?: string | undefined;
}

const REACH_TIMEOUT_MS = 3_000;
const SECRET = /HEADERS|KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/;

/** The Node that runs this. */
export function nodeFindings(version: string = process.versions.node): Finding[] {
  if (isSupported(version)) return [{ level: 'ok', found: `Node ${version}` }];
  return [{ level: 'fail', found: `Node ${version} is not supported`, mend: 'use Node 22.15 or later, 24, or 26' }];
}

/** The variables in force and where they come from. Secrets are not shown. */
export function variableFindings(environment: NodeJS.ProcessEnv, flags: Readonly<Record<string, string>>): Finding[] {
  const names = Object.keys(environment).filter((name) => /^(OTEL|TOOLSPAN)_/.test(name));
  const findings: Finding[] = names.toSorted().map((name) => {
    const value = SECRET.test(name) ? '(set, not shown)' : withoutCredentials(environment[name] ?? '');
    return { level: 'ok', found: `${name}=${value} (${Object.hasOwn(flags, name) ? 'flag' : 'environment'})` };
  });
  if (names.length === 0) findings.push({ level: 'ok', found: 'no OTEL_ or TOOLSPAN_ variable is set: all defaults' });
  for (const complaint of [...readSettings(environment).complaints, ...wordComplaints(environment)]) {
    findings.push({ level: 'fail', found: complaint, mend: 'correct or remove it' });
  }
  for (const name of ['TOOLSPAN_DISABLED', 'OTEL_SDK_DISABLED']) {
    if (environment[name]?.trim().toLowerCase() === 'true') {
      findings.push({ level: 'warn', found: `${name} switches telemetry off`, mend: `unset ${name}` });
    }
  }
  return findings;
}

/** The file with policies. */
export async function configFindings(path: string | undefined): Promise<Finding[]> {
  if (path === undefined) return [];
  try {
    const { tools } = await readConfigFile(path);
    return [{ level: 'ok', found: `${path} has policies for ${Object.keys(tools).join(', ') || 'no tool'}` }];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [{ level: 'fail', found: error.message, mend: 'correct the file' }];
  }
}

/** Whether somebody takes the telemetry: each address is sent an empty export. */
export async function endpointFindings(environment: NodeJS.ProcessEnv): Promise<Finding[]> {
  const endpoints = otlpEndpoints(environment);
  if (endpoints.length === 0)
    return [{ level: 'warn', found: 'no signal is sent by OTLP', mend: 'see OTEL_*_EXPORTER' }];
  return Promise.all(endpoints.map(reach));
}

async function reach(endpoint: OtlpEndpoint): Promise<Finding> {
  const { signal, url, protocol, from } = endpoint;
  const shown = `${signal}: ${withoutCredentials(url)} (${protocol}, ${from ?? 'default'})`;
  const variable = from ?? 'OTEL_EXPORTER_OTLP_ENDPOINT';
  if (!URL.canParse(url) || !/^https?:/.test(url)) {
    return { level: 'fail', found: `${shown} is no address`, mend: `set ${variable} to one that begins with http://` };
  }
  try {
    const status = protocol === 'grpc' ? await connects(url) : await post(endpoint);
    if (status >= 200 && status < 300) return { level: 'ok', found: `${shown} takes telemetry` };
    return { level: 'fail', found: `${shown} answers HTTP ${status}`, mend: mendFor(status, signal, variable) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return {
      level: 'fail',
      found: `${shown} cannot be reached (${code ?? message})`,
      mend: `start a collector there, set ${variable}, or switch the signal off with OTEL_${signal.toUpperCase()}_EXPORTER=none`,
    };
  }
}

function mendFor(status: number, signal: string, variable: string): string {
  if (status === 401 || status === 403) return 'set OTEL_EXPORTER_OTLP_HEADERS to what the collector asks for';
  if (status === 404) return `check the path: ${variable} is completed with /v1/${signal} unless it names one signal`;
  if (status === 415) return 'set OTEL_EXPORTER_OTLP_PROTOCOL to http/json or http/protobuf, whichever it takes';
  return 'see what the collector says about it';
}

function post({ url, protocol, headers }: OtlpEndpoint): Promise<number> {
  const json = protocol === 'http/json';
  const body = json ? '{}' : '';
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        timeout: REACH_TIMEOUT_MS,
        headers: {
          ...headers,
          'content-type': json ? 'application/json' : 'application/x-protobuf',
          'content-length': body.length,
        },
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    );
    request.once('timeout', () => request.destroy(new Error(`no answer within ${REACH_TIMEOUT_MS} ms`)));
    request.once('error', reject);
    request.end(body);
  });
}

function connects(url: string): Promise<number> {
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) || (protocol === 'https:' ? 443 : 80) });
    socket.setTimeout(REACH_TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${REACH_TIMEOUT_MS} ms`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve(200);
    });
  });
}

/** Whether a server starts, answers, keeps stdout clean and can be observed. */
export async function serverFindings(start: Start, timeoutMs: number): Promise<Finding[]> {
  try {
    return findingsOf(await probeServer(start, timeoutMs), timeoutMs);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return [{ level: 'fail', found: error.message, mend: 'check the name of the command and PATH' }];
  }
}

function findingsOf(probe: ServerProbe, timeoutMs: number): Finding[] {
  const [first] = probe.noise;
  // of a crash nothing else is worth a word, but for lines that may be why
  if (probe.endedFirst && first === undefined) return [crashFinding(probe)];
  const findings: Finding[] = [probe.endedFirst ? crashFinding(probe) : answerFinding(probe, timeoutMs)];
  findings.push(
    first === undefined
      ? { level: 'ok', found: 'stdout holds messages only' }
      : {
          level: 'fail',
          found: `stdout holds lines that are no messages, the first: ${JSON.stringify(first.slice(0, 120))}`,
          mend: 'write logs to stderr: on stdio, stdout belongs to the protocol',
        },
  );
  if (probe.endedFirst) return findings;
  findings.push(
    probe.spans.length > 0
      ? { level: 'ok', found: `its messages became spans: ${probe.spans.join(', ')}` }
      : { level: 'fail', found: 'its messages became no spans', mend: 'see the findings above' },
  );
  if (probe.answer !== undefined) findings.push({ level: 'ok', found: exportFound(probe.exported) });
  const { code, signal } = probe.end;
  findings.push(
    probe.endedByItself
      ? { level: code === 0 ? 'ok' : 'warn', found: `it ends when stdin is closed (${signal ?? `exit code ${code}`})` }
      : {
          level: 'warn',
          found: `it did not end when stdin was closed and was ended by a signal (${signal ?? `exit code ${code}`})`,
          mend: 'end the process when stdin ends',
        },
  );
  return findings;
}

function exportFound(signals: readonly string[]): string {
  return signals.length > 0
    ? `it exports by itself: ${signals.join(', ')}`
    : 'it exports nothing by itself over OTLP/HTTP: toolspan wrap does that for it, or, in Node, --import toolspan/register';
}

function crashFinding({ end, lastError }: ServerProbe): Finding {
  const said = lastError === '' ? '' : `; its last line on stderr: ${JSON.stringify(lastError.slice(0, 200))}`;
  return {
    level: 'fail',
    found: `the server ended before it answered initialize (${end.signal ?? `exit code ${end.code}`})${said}`,
    mend: 'run the command by itself and see what it writes to stderr',
  };
}

function answerFinding({ answer, answeredMs, tools, end }: ServerProbe, timeoutMs: number): Finding {
  if (answer === undefined) {
    return {
      level: 'fail',
      found: `the server gave no answer to initialize within ${timeoutMs} ms (it ended with ${end.signal ?? `exit code ${end.code}`})`,
      mend: 'run the command by itself and see what it writes to stderr',
    };
  }
  const { error, result } = answer as { error?: { message?: unknown }; result?: { serverInfo?: { name?: unknown } } };
  if (error !== undefined) {
    return {
      level: 'warn',
      found: `the server refuses initialize: ${String(error.message)}`,
      mend: 'update the server',
    };
  }
  const given = result?.serverInfo?.name;
  const name = typeof given === 'string' ? given : 'without a name';
  const offers = tools === undefined ? '' : `, ${tools.length} tool${tools.length === 1 ? '' : 's'}`;
  return { level: 'ok', found: `the server "${name}" answers after ${Math.round(answeredMs)} ms${offers}` };
}
