// Which keys name a secret: by their words, so that `monkey`, `author` and `gen_ai.usage.input_tokens` do not. Pure.

/** Longest key that is judged by its words, in characters. What has a longer one is taken for a secret. */
export const MAX_JUDGED = 1_024;

// What a secret key is for.
const KEYS = [
  'access',
  'account',
  'api',
  'encryption',
  'master',
  'private',
  'secret',
  'session',
  'shared',
  'signing',
  'ssh',
];

// Words that name a secret wherever they stand in a key.
const WORDS: ReadonlySet<string> = new Set([
  'bearer',
  'csrf',
  'cvc',
  'cvv',
  'otp',
  'signature',
  'signatures',
  'ssn',
  'xsrf',
]);

// Words that do so at the end of a longer one too: `PGPASSWORD`, `dbpassword`.
const ENDINGS: readonly string[] = [
  'authheader',
  'authorization',
  'connectionstring',
  'cookie',
  'credential',
  'jwt',
  'passcode',
  'passphrase',
  'passwd',
  'password',
  'pwd',
  'secret',
  ...KEYS.map((word) => `${word}key`),
].flatMap((word) => [word, `${word}s`]);

// Two words that name one together.
const PAIRS: ReadonlySet<string> = new Set([
  ...KEYS.flatMap((word) => [`${word} key`, `${word} keys`]),
  'auth header',
  'auth headers',
  'connection string',
]);

// A token is a secret, unless the words around it count tokens or name a kind of them.
const BEFORE_TOKEN: ReadonlySet<string> = new Set([
  'cached',
  'completion',
  'input',
  'max',
  'output',
  'per',
  'progress',
  'prompt',
  'reasoning',
  'total',
]);
const AFTER_TOKEN: ReadonlySet<string> = new Set([
  'budget',
  'cost',
  'count',
  'counts',
  'id',
  'index',
  'length',
  'limit',
  'price',
  'rate',
  'size',
  'type',
  'usage',
]);

const NINE = 57;
const BETWEEN_WORDS = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+/;

/** The words of a key, in lower case: `X-Api-Key`, `xApiKey` and `x_api_key` are one. */
export function wordsOf(key: string): string[] {
  return key
    .slice(0, MAX_JUDGED)
    .split(BETWEEN_WORDS)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

/** Whether a value is a secret; under `tokens` it is, unless it is a number of them. */
export type Secrecy = 'none' | 'unless-number' | 'always';

/** What the words of a key say of its value. */
export function secrecyOf(words: readonly string[]): Secrecy {
  const stems = words.map(withoutDigits);
  let secrecy: Secrecy = 'none';
  for (const [index, word] of stems.entries()) {
    const before = stems[index - 1];
    const after = stems[index + 1];
    if (WORDS.has(word) || ENDINGS.some((ending) => word.endsWith(ending))) return 'always';
    if (after !== undefined && PAIRS.has(`${word} ${after}`)) return 'always';
    if (words[index] === 'auth' && after === undefined) return 'always';
    const plural = word.endsWith('tokens');
    if (!plural && !word.endsWith('token')) continue;
    if ((before !== undefined && BEFORE_TOKEN.has(before)) || (after !== undefined && AFTER_TOKEN.has(after))) continue;
    if (!plural) return 'always';
    secrecy = 'unless-number';
  }
  return secrecy;
}

// `password1` is another password. By hand: a pattern that looks for the end of many digits begins anew at each of them.
function withoutDigits(word: string): string {
  let end = word.length;
  while (end > 0 && word.charCodeAt(end - 1) <= NINE) end--;
  return word.slice(0, end);
}
