// Which keys name a secret: by whole words, so that `monkey`, `author` and `gen_ai.usage.input_tokens` do not. Pure.

const MAX_KEY = 128;

// Words that name a secret wherever they stand in a key.
const WORDS: ReadonlySet<string> = new Set([
  'accesskey',
  'accesstoken',
  'apikey',
  'apikeys',
  'apitoken',
  'authorization',
  'authtoken',
  'bearer',
  'bearertoken',
  'clientsecret',
  'connectionstring',
  'cookie',
  'cookies',
  'credential',
  'credentials',
  'csrf',
  'csrftoken',
  'cvc',
  'cvv',
  'idtoken',
  'jwt',
  'otp',
  'passcode',
  'passphrase',
  'passwd',
  'password',
  'passwords',
  'privatekey',
  'pwd',
  'refreshtoken',
  'secret',
  'secretkey',
  'secrets',
  'sessiontoken',
  'setcookie',
  'ssn',
  'xsrf',
]);

// Two words that name one together.
const PAIRS: ReadonlySet<string> = new Set([
  ...[
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
  ].flatMap((word) => [`${word} key`, `${word} keys`]),
  ...['access', 'api', 'auth', 'bearer', 'id', 'refresh', 'session'].map((word) => `${word} tokens`),
  'connection string',
]);

// A token is a secret, unless the words around it count tokens or name a kind of them.
const BEFORE_TOKEN: ReadonlySet<string> = new Set([
  'completion',
  'input',
  'max',
  'output',
  'per',
  'progress',
  'prompt',
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

const BETWEEN_WORDS = /(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^A-Za-z0-9]+/;

/** The words of a key, in lower case: `X-Api-Key`, `xApiKey` and `x_api_key` are one. */
export function wordsOf(key: string): string[] {
  return key
    .slice(0, MAX_KEY)
    .split(BETWEEN_WORDS)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase());
}

/** Whether words of a key name a secret. */
export function nameSecret(words: readonly string[]): boolean {
  return words.some((word, index) => {
    const before = words[index - 1];
    const after = words[index + 1];
    if (WORDS.has(word) || (after !== undefined && PAIRS.has(`${word} ${after}`))) return true;
    if (word === 'auth') return after === undefined;
    if (word !== 'token') return false;
    return !(before !== undefined && BEFORE_TOKEN.has(before)) && !(after !== undefined && AFTER_TOKEN.has(after));
  });
}
