// Reading the name of a series: method and target, as in `tools/call forecast`.

const TOOL_CALL = 'tools/call ';

/** The tool that a series is of; undefined where it is of something else. */
export function toolOf(operation: string): string | undefined {
  return operation.startsWith(TOOL_CALL) ? operation.slice(TOOL_CALL.length) : undefined;
}
