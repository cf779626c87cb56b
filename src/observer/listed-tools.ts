// The tools that a server has listed, with their annotations: what is known of them from outside.
import { isRecord } from '../protocol/message.ts';

const MAX_LISTED = 1_000;

/** The tools of one server, as its answers to `tools/list` tell. */
export class ListedTools {
  readonly #annotations = new Map<string, unknown>();

  /** Remembers what one answer lists; a tool that is listed again is what it is then. */
  learn(result: unknown): void {
    const tools = isRecord(result) ? result['tools'] : undefined;
    if (!Array.isArray(tools)) return;
    for (const tool of tools) {
      if (!isRecord(tool) || typeof tool['name'] !== 'string') continue;
      const { name, annotations } = tool;
      if (this.#annotations.size < MAX_LISTED || this.#annotations.has(name)) this.#annotations.set(name, annotations);
    }
  }

  /** Remembers a tool of which no more is known than that it is there. */
  add(name: string): void {
    if (!this.#annotations.has(name)) this.learn({ tools: [{ name }] });
  }

  has(name: string): boolean {
    return this.#annotations.has(name);
  }

  /** What its server says of a tool; a hint, which may be wrong. */
  annotationsOf(name: string): unknown {
    return this.#annotations.get(name);
  }
}
