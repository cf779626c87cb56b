// What is thrown where a file of policies cannot be used: by itself, since whoever catches it need not load zod.

/** A file that cannot be used; the message names it, the path inside it, what was expected and what came. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
