// Where an attribute is described. Only names that the conventions have get a link. Pure.

const GENAI = 'https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai';
const REGISTRY = 'https://opentelemetry.io/docs/specs/semconv/registry/attributes';

const PAGES: Readonly<Record<string, string>> = {
  mcp: `${GENAI}/mcp.md`,
  jsonrpc: `${GENAI}/mcp.md`,
  gen_ai: `${GENAI}/gen-ai-spans.md`,
};
const NAMESPACES = new Set([
  'client',
  'cloud',
  'code',
  'container',
  'db',
  'deployment',
  'error',
  'exception',
  'file',
  'host',
  'http',
  'k8s',
  'messaging',
  'network',
  'os',
  'process',
  'rpc',
  'server',
  'service',
  'session',
  'system',
  'telemetry',
  'thread',
  'url',
]);

/** The page of the conventions that describes an attribute; nothing for a name of one's own. */
export function conventionOf(key: string): string | undefined {
  const namespace = key.split('.', 1)[0] ?? '';
  if (namespace === key) return undefined;
  if (Object.hasOwn(PAGES, namespace)) return PAGES[namespace];
  if (namespace === 'user_agent') return `${REGISTRY}/user-agent/`;
  return NAMESPACES.has(namespace) ? `${REGISTRY}/${namespace}/` : undefined;
}
