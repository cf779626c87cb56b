// Of the doors that need no code, and of what they share: register, wrap, check, the client door.
import { OWN, type Requirement } from './requirement.ts';

const MCP = 'https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/mcp.md';
const SPEC_2026 = 'https://modelcontextprotocol.io/specification/2026-07-28';

export const doorsRequirements = {
  'client.execute-tool': { source: MCP, behaviour: "an agent's execute_tool span is enriched and not doubled" },
  'client.server-address': { source: MCP, behaviour: 'a client over HTTP names the server that it dialled' },
  'client.no-open-span': { source: OWN, behaviour: 'no span of a client is left open when it closes' },
  'span.rounds': { source: SPEC_2026, behaviour: 'a request that brings input is linked to the one that asked for it' },
} as const satisfies Record<string, Requirement>;
