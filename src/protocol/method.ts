// The methods of MCP, and which part of a message a method is about. Pure.
import { isRecord, type MessageParams } from './message.ts';

/** What a method is aimed at: a tool, a prompt, or a resource. */
export type TargetKind = 'tool' | 'prompt' | 'resource';

/** Every method of the protocol revisions 2024-11-05 to 2026-07-28; any other name was chosen by somebody else. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'completion/complete',
  'elicitation/create',
  'initialize',
  'logging/setLevel',
  'notifications/cancelled',
  'notifications/elicitation/complete',
  'notifications/initialized',
  'notifications/message',
  'notifications/progress',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/roots/list_changed',
  'notifications/subscriptions/acknowledged',
  'notifications/tasks/status',
  'notifications/tools/list_changed',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'roots/list',
  'sampling/createMessage',
  'server/discover',
  'subscriptions/listen',
  'tasks/cancel',
  'tasks/get',
  'tasks/list',
  'tasks/result',
  'tasks/update',
  'tools/call',
  'tools/list',
]);

/** What the method is aimed at, or undefined where it has no target of its own. */
export function targetKindOf(method: string): TargetKind | undefined {
  switch (method) {
    case 'tools/call':
      return 'tool';
    case 'prompts/get':
      return 'prompt';
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
    case 'notifications/resources/updated':
      return 'resource';
    default:
      return undefined;
  }
}

/** The name (tool, prompt) or URI (resource) that the params carry; undefined where they carry none. */
export function targetOf(kind: TargetKind, params: MessageParams | undefined): string | undefined {
  if (!isRecord(params)) return undefined;
  const value = params[kind === 'resource' ? 'uri' : 'name'];
  return typeof value === 'string' ? value : undefined;
}
