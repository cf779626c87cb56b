// Which tool and prompt names may be labels: those the server is known to have, bounded in number.
import type { TargetKind } from '../protocol/method.ts';
import { isRecord } from '../protocol/message.ts';
import type { LearnedNames } from '../state/servers.ts';
import { OTHER } from '../telemetry/names.ts';
import { MAX_NAME } from '../telemetry/text.ts';

const MAX_LEARNED = 500;

/** Says whether a name is registered; undefined where there is no registry to ask. */
export type Registry = (kind: TargetKind, name: string) => boolean | undefined;

/**
 * The names of one server.
 *
 * Where the SDK keeps a registry it is asked. Elsewhere (a low-level server, a client, a proxy) names are learned from
 * what the server lists and from calls that succeed, so that a made-up name never becomes a label.
 */
export class KnownNames {
  readonly #registry: Registry;
  readonly #learned: LearnedNames;

  /** By default nobody has a registry, and nothing is learned yet. */
  constructor(registry: Registry = () => undefined, learned: LearnedNames = { tool: new Set(), prompt: new Set() }) {
    this.#registry = registry;
    this.#learned = learned;
  }

  /** Whether the server has it; undefined where nobody can know. */
  registered(kind: TargetKind, name: string): boolean | undefined {
    return this.#registry(kind, name);
  }

  /** The name as a label: itself where known, else `_other`; undefined for what is never a label. */
  label(kind: TargetKind | undefined, name: string | undefined): string | undefined {
    if (kind === undefined || kind === 'resource' || name === undefined) return undefined;
    if (name.length > MAX_NAME) return OTHER;
    const known = this.#registry(kind, name) ?? this.#learned[kind].has(name);
    return known ? name : OTHER;
  }

  /** Remembers a name that the server has answered for. */
  learn(kind: TargetKind | undefined, name: unknown): void {
    if (kind === undefined || kind === 'resource' || typeof name !== 'string' || name.length > MAX_NAME) return;
    const names = this.#learned[kind];
    if (names.size < MAX_LEARNED) names.add(name);
  }

  /** Remembers what the answer to `tools/list` or `prompts/list` names. */
  learnFromList(method: string, result: unknown): void {
    if (!isRecord(result)) return;
    const listed =
      method === 'tools/list' ? result['tools'] : method === 'prompts/list' ? result['prompts'] : undefined;
    if (!Array.isArray(listed)) return;
    for (const entry of listed) {
      if (isRecord(entry)) this.learn(method === 'tools/list' ? 'tool' : 'prompt', entry['name']);
    }
  }
}
