// Of the demo and the command line.
import { OWN, type Requirement } from './requirement.ts';

export const demoRequirements = {
  'demo.runs': {
    source: OWN,
    behaviour: 'the demo draws the traces of agents that call a server over the wire, and ends with totals',
  },
  'demo.json': { source: OWN, behaviour: '--json prints one object a line and nothing else' },
  'demo.logs': {
    source: OWN,
    behaviour: 'the demo logs to stderr at info, one line of JSON each, joined to the traces on stdout by their ids',
  },
  'demo.robust-operation': {
    source: OWN,
    behaviour: 'robust_operation processes text, and refuses it with code, details and trace id',
  },
  'demo.instrumented-tool': {
    source: OWN,
    behaviour: 'instrumented_tool answers in capitals, and its start, success and errors are logged',
  },
  'demo.ctrl-c': { source: OWN, behaviour: 'Ctrl-C ends the demo cleanly with totals' },
  'demo.investigation': {
    source: OWN,
    behaviour:
      'an agent whose call fails asks for the health, the recent errors and the trace, and shows what it learned',
  },
  'demo.monitoring': {
    source: 'reference design',
    behaviour: 'monitored_operation and metric_tracked_operation answer, and show in get_server_metrics',
  },
  'demo.parts': { source: OWN, behaviour: 'server and agents of the demo run as two processes' },
  'demo.tree': {
    source: OWN,
    behaviour: 'a trace is drawn as a tree with durations, outcome and error, also with missing parents and cycles',
  },
  'demo.upstream': {
    source: OWN,
    behaviour: 'the flaky service fails in every way there is, in the order that its seed says',
  },
  'demo.guard': {
    source: 'https://owasp.org/www-community/attacks/Server_Side_Request_Forgery',
    behaviour: 'a URL that leads to this machine or its network is refused, unless allowed',
  },
  'demo.bounded': { source: OWN, behaviour: 'an external call is bounded in size and time' },
  'demo.external-call': { source: OWN, behaviour: 'an external call is retried where that may help' },
  'demo.fallback': { source: OWN, behaviour: 'the operation with a fallback has the reference values' },
  'demo.breaker': {
    source: OWN,
    behaviour: 'the agents of the demo open and close a circuit breaker while one watches',
  },
  'cli.node': { source: OWN, behaviour: 'on a Node that is too old every command says so at once, with exit code 1' },
  'cli.bad-usage': { source: OWN, behaviour: 'a bad command or option is said plainly, with exit code 2' },
} as const satisfies Record<string, Requirement>;
