// How long text that a peer chose may be in telemetry, so that no name, id or message of any size gets there whole.

/** Longest texts kept, in UTF-16 units. */
export const MAX_NAME = 128;
export const MAX_URI = 512;
export const MAX_MESSAGE = 1_024;
export const MAX_STACK = 8_192;
