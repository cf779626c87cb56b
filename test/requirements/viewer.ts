// Of the viewer: what it receives, what it keeps, what it answers, what it shows.
import { OWN, type Requirement } from './requirement.ts';

const OTLP = 'https://opentelemetry.io/docs/specs/otlp/#otlphttp';
const OTLP_JSON = 'https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding';
const JAEGER = 'https://www.jaegertracing.io/docs/latest/architecture/apis/';

export const viewerRequirements = {
  'receiver.protobuf': {
    source: OTLP,
    behaviour: 'every field that the official encoder writes is read',
  },
  'receiver.json': {
    source: OTLP_JSON,
    behaviour: 'OTLP/JSON says the same as protobuf, in all the ways it may be written',
  },
  'receiver.answers': { source: OTLP, behaviour: 'each case has the answer that the specification has for it' },
  'receiver.limits': {
    source: OTLP,
    behaviour: 'a body that is too large, as it comes or inflated, is refused with 413',
  },
  'receiver.back-pressure': { source: OTLP, behaviour: 'a sender is asked to come again where too much comes at once' },
  'receiver.fuzz': { source: OWN, behaviour: 'no body, however broken, ends the process or gets a 5xx' },
  'receiver.exporters': {
    source: OWN,
    behaviour: 'the exporters of the SDK deliver all three signals in both encodings',
  },
  'receiver.cors': { source: OWN, behaviour: 'a browser sends from another origin only where that is allowed' },
  'store.bounds': {
    source: OWN,
    behaviour: 'no more bytes are held than allowed; the oldest traces go first, and whole',
  },
  'store.age': { source: OWN, behaviour: 'what is too old goes' },
  'store.merge': { source: OWN, behaviour: 'spans that come late, out of order or twice join their trace once' },
  'store.search': {
    source: OWN,
    behaviour: 'traces are found by tool, outcome, error, duration, attribute, text and time',
  },
  'store.archive': { source: OWN, behaviour: 'a file keeps what was received over a restart' },
  'store.metrics': { source: OWN, behaviour: 'counters, gauges and histograms of every kind become lines over time' },
  'store.sideways': { source: OWN, behaviour: 'attributes, values, events, series and points are bounded each' },
  'api.schema': {
    source: 'https://spec.openapis.org/oas/v3.1.0',
    behaviour: 'every answer is what the OpenAPI document says',
  },
  'api.bad-request': { source: OWN, behaviour: 'a bad parameter is named, with what was expected' },
  'api.trace': { source: OWN, behaviour: 'a trace is answered with exact offsets, marks, logs and links both ways' },
  'api.overview': { source: OWN, behaviour: 'calls are counted by tool and time, with breakers, health and failures' },
  'api.live': { source: OWN, behaviour: 'pages are told what came, about ten times a second at most' },
  'api.jaeger': { source: JAEGER, behaviour: 'clients of the v3 query API of Jaeger find and read traces' },
  'api.guarded': {
    source: OWN,
    behaviour: 'every route refuses a foreign host, a foreign page, and who lacks the token',
  },
  'viewer.taken-port': {
    source: OWN,
    behaviour: 'a port that is taken is named with its holder, and the next is used',
  },
  'viewer.command': { source: OWN, behaviour: '`toolspan view` says where it receives and where its page is' },
  'viewer.elsewhere': { source: OWN, behaviour: 'bound elsewhere than loopback, every route asks for the token' },
  'page.model': {
    source: OWN,
    behaviour: 'any set of spans is a tree of rows, with what is missing and what is cut said',
  },
  'page.budget': { source: OWN, behaviour: 'the page is loaded with at most 150 KB' },
  'page.views': { source: OWN, behaviour: 'each view shows what came, in a browser' },
  'page.filters': { source: OWN, behaviour: 'filters are kept in the address' },
  'page.live': { source: OWN, behaviour: 'what comes is shown at once, unless the page is held still' },
  'page.keyboard': { source: OWN, behaviour: 'everything can be done with the keyboard' },
  'page.accessible': {
    source: 'https://www.w3.org/TR/WCAG22/',
    behaviour: 'an accessibility check finds nothing serious',
  },
  'page.narrow': { source: OWN, behaviour: 'nothing is cut off at a width of 360 px' },
  'page.hostile': { source: OWN, behaviour: 'received markup and script are shown as text, and never run' },
  'page.large': { source: OWN, behaviour: '200,000 spans, and 10,000 in one trace, stay usable' },
  'page.share': { source: OWN, behaviour: 'a shared trace is one file that shows itself without a server' },
  'page.demo': { source: OWN, behaviour: 'the demo opens the page and shows its traffic there' },
} as const satisfies Record<string, Requirement>;
