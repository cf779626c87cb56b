// Cutting text that a peer chose, so that no name, id or message of any size gets into telemetry whole.

/** Longest texts kept, in UTF-16 units. */
export const MAX_NAME = 128;
export const MAX_URI = 512;
export const MAX_MESSAGE = 1_024;
export const MAX_STACK = 8_192;

/** The text, or its beginning with an ellipsis; never half of a surrogate pair. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  let end = max - 1;
  const last = text.charCodeAt(end - 1);
  if (last >= 0xd800 && last <= 0xdbff) end--;
  return `${text.slice(0, end)}…`;
}
