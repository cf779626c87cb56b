// What calls carry: how much it is, and of which tools it may be captured. Pure.
import type { Capture } from '../logging/door-log.ts';
import { isRecord } from '../protocol/message.ts';

const MAX_ITEMS = 1_000;

/** Whether the content of this tool is captured. */
export function isCaptured(capture: Capture, tool: string | undefined): boolean {
  return typeof capture === 'boolean' ? capture : tool !== undefined && capture.includes(tool);
}

/** How many characters of text the arguments of a call hold. */
export function inputLength(params: unknown): number {
  const given = isRecord(params) ? params['arguments'] : undefined;
  return isRecord(given) ? lengthOf(Object.values(given)) : 0;
}

/** How many characters of text and data the result of a call holds. */
export function resultLength(result: unknown): number {
  const content = isRecord(result) ? result['content'] : undefined;
  if (!Array.isArray(content)) return 0;
  return lengthOf(content.slice(0, MAX_ITEMS).flatMap((item) => (isRecord(item) ? [item['text'], item['data']] : [])));
}

function lengthOf(values: readonly unknown[]): number {
  let length = 0;
  for (const value of values.slice(0, MAX_ITEMS)) if (typeof value === 'string') length += value.length;
  return length;
}
