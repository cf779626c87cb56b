// Of the doors that need no code, and of what they share: register, wrap, check, the client door.
import { OWN, type Requirement } from './requirement.ts';

const SPEC = 'https://modelcontextprotocol.io/specification/2025-11-25/basic/transports';
const MCP = 'https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md';
const SPEC_2026 = 'https://modelcontextprotocol.io/specification/2026-07-28';

export const doorsRequirements = {
  'doors.conformance': {
    source: OWN,
    behaviour: 'one scenario gives the same spans through every door, but for the differences that are documented',
  },
  'doors.public-servers': { source: OWN, behaviour: 'public servers answer the same to the byte through every door' },
  'doors.policies': {
    source: OWN,
    behaviour: 'a file of policies holds through the doors without code, with telemetry and without',
  },
  'doors.tools': { source: OWN, behaviour: "the agent's tools are offered through the doors without code" },
  'register.zero-code': { source: OWN, behaviour: 'a server that knows nothing of it is observed' },
  'register.modules': { source: OWN, behaviour: 'ESM and CommonJS, both SDK generations and several copies are seen' },
  'register.late': {
    source: OWN,
    behaviour: 'what happens before the SDK is up keeps its ids, children and measurements',
  },
  'register.first-answer': { source: OWN, behaviour: 'the first answer does not wait for the SDK' },
  'register.own-sdk': { source: OWN, behaviour: 'an application with an SDK of its own keeps it' },
  'register.by-hand': {
    source: OWN,
    behaviour: 'a server that its author has instrumented gets telemetry, policies and tools all the same',
  },
  'register.stdout': { source: SPEC, behaviour: "stdout is the bare server's byte by byte" },
  'register.flush': {
    source: OWN,
    behaviour: 'the end of stdin and a signal flush, then end the process as they would',
  },
  'register.report': {
    source: OWN,
    behaviour: 'one line says which server is observed, or that there is none and why',
  },
  'register.bundled': { source: OWN, behaviour: 'a server with the SDK bundled into it is told so, and what to do' },
  'register.idle': { source: OWN, behaviour: 'launchers and programs without an MCP server are left alone' },
  'register.runtimes': {
    source: OWN,
    behaviour: 'TypeScript by tsx and by Node, NODE_OPTIONS, npx, worker threads and every supported Node',
  },
  'register.frameworks': { source: OWN, behaviour: 'servers of frameworks built on the SDK are observed' },
  'register.disabled': { source: OWN, behaviour: 'TOOLSPAN_DISABLED=true leaves the program as it is' },
  'register.sampling': {
    source: 'https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/',
    behaviour: 'before the SDK is up, a trace is recorded exactly where its sampler records it',
  },
  'register.lean-sdk': {
    source: 'https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/',
    behaviour: 'the lean SDK reads the variables as NodeSDK does, and gives way where only that will do',
  },
  'wrap.bytes': { source: OWN, behaviour: 'every byte passes unchanged both ways, however it is cut' },
  'wrap.long': { source: OWN, behaviour: 'a message of any length passes in little memory, unread above 16 MiB' },
  'wrap.noise': { source: OWN, behaviour: 'what is no JSON-RPC passes on and is counted' },
  'wrap.back-pressure': { source: OWN, behaviour: 'a slow reader slows down the writer, not the proxy' },
  'wrap.many': { source: OWN, behaviour: 'operations beyond 10,000 that are open pass unobserved and are counted' },
  'wrap.exit': { source: OWN, behaviour: 'the wrapped server ends the proxy with its exit code or signal' },
  'wrap.signals': { source: OWN, behaviour: 'signals reach the server and whatever it has started' },
  'wrap.orphans': { source: OWN, behaviour: 'nothing is left running when either side dies' },
  'wrap.environment': { source: OWN, behaviour: 'environment, working directory and stderr pass through' },
  'wrap.start': {
    source: OWN,
    behaviour: 'a command that cannot be started is said plainly, with the code of a shell',
  },
  'wrap.command-line': {
    source: OWN,
    behaviour: 'a command is started without a shell, and quoted where Windows needs one',
  },
  'wrap.faults': { source: OWN, behaviour: 'a crash, a hang, a flood or a closed stdout leaves no span open' },
  'wrap.collector': { source: OWN, behaviour: 'a collector that hangs delays nothing but the end, by its deadline' },
  'wrap.settings': { source: OWN, behaviour: 'every setting is a flag, for the proxy alone' },
  'wrap.disabled': { source: OWN, behaviour: 'with TOOLSPAN_DISABLED=true bytes pass and nothing else happens' },
  'wrap.propagate': {
    source: 'https://modelcontextprotocol.io/seps/414',
    behaviour: 'with --propagate requests carry our context, and only those bytes of params._meta differ',
  },
  'wrap.service': { source: OWN, behaviour: 'the service is named after the wrapped server' },
  'wrap.late-answer': {
    source: OWN,
    behaviour: 'a call that is withdrawn and answered all the same stays cancelled, and says so',
  },
  'wrap.http-transparent': { source: SPEC, behaviour: 'method, address, status, headers and bodies pass both ways' },
  'wrap.http-stream': { source: SPEC, behaviour: 'events pass one by one as they come, however their lines end' },
  'wrap.http-sessions': { source: SPEC, behaviour: 'sessions, resumption and DELETE pass, and are told apart' },
  'wrap.http-guard': { source: OWN, behaviour: 'a foreign Host or Origin is turned away on every route' },
  'wrap.http-aborted': { source: OWN, behaviour: 'a client that is gone ends the request at the server' },
  'wrap.http-unreachable': { source: OWN, behaviour: 'a server that cannot be reached is a 502 and a span' },
  'wrap.http-tls': { source: OWN, behaviour: 'a server behind TLS is reached' },
  'wrap.http-private': { source: OWN, behaviour: 'credentials pass and are never recorded' },
  'wrap.http-older': {
    source: 'https://modelcontextprotocol.io/specification/2024-11-05/basic/transports',
    behaviour: 'the older HTTP+SSE is observed too',
  },
  'wrap.policies': {
    source: OWN,
    behaviour: 'a policy of a tool decides about its calls at the proxy: refused, limited in time, counted',
  },
  'wrap.tools': {
    source: OWN,
    behaviour: "the proxy's own tools stand beside the server's, under another name where that is taken",
  },
  'peers.wrap': {
    source: OWN,
    behaviour: 'servers in other languages are observed from outside, and join the trace',
  },
  'config.settings': { source: OWN, behaviour: 'a setting that cannot be read is said with what is expected' },
  'config.file': { source: OWN, behaviour: 'a mistake in a file of policies is said with the path to it' },
  'check.findings': {
    source: OWN,
    behaviour: 'each finding is one line with its mend, and the exit code says whether one failed',
  },
  'check.endpoint': {
    source: OWN,
    behaviour: 'it says whether a collector takes telemetry, and which variable named it',
  },
  'check.server': { source: OWN, behaviour: 'it says whether a server starts, answers, keeps stdout clean and ends' },
  'check.private': { source: OWN, behaviour: 'secrets in variables are not shown' },
  'client.execute-tool': { source: MCP, behaviour: "an agent's execute_tool span is enriched and not doubled" },
  'client.server-address': { source: MCP, behaviour: 'a client over HTTP names the server that it dialled' },
  'client.policies': {
    source: OWN,
    behaviour: 'policies around the tools that a client calls hold, and are retried only where the server allows it',
  },
  'client.no-open-span': { source: OWN, behaviour: 'no span of a client is left open when it closes' },
  'span.rounds': { source: SPEC_2026, behaviour: 'a request that brings input is linked to the one that asked for it' },
} as const satisfies Record<string, Requirement>;
