// Secrets inside text, by their form. Pure. Every pattern takes time in proportion to the text, whatever the text is: what
// may be long is never followed by something that must still match, or cannot begin again inside what was read.

/** Stands where a secret was. */
export const REDACTED = '[REDACTED]';

const SHORTEST = 8;

// A name before its value: `password=...`, `"api_key": "..."`, `?access_token=...`, `Cookie: ...`. Of a header it is the first
// group, of what may also be counted (`tokens`) the second. A name in JSON that is text in JSON has 1, 3 or 7 backslashes.
const NAMES = new RegExp(
  [
    String.raw`(?:(authorization|cookies?)`,
    String.raw`pass(?:word|wd|phrase|code)s?|pwd|secrets?|token(s?)|credentials?|jwt`,
    String.raw`(?:api|access|account|encryption|private|secret|shared|signing)[_-]?keys?`,
    // in prose it is what a function has
    String.raw`signature(?=\\{0,15}["']|=))(?:[_-]?\d{1,4})?(?:\\{0,15}["'])?\s{0,3}[=:]\s{0,3}`,
  ].join('|'),
  'gi',
);
const SHORTEST_VALUE = 3;
// no secrets: how many tokens were used, a yes or no; with what closes around them in JSON
const NUMBER = /^[\d.,]+[\])}]*$/;
const NOTHING = /^(?:true|false|null|undefined)[\])}]*$/;

// `Bearer ...` and `Basic ...`; a word in small letters only, such as in "basic authentication", is prose.
const SCHEMES =
  /((?<![A-Za-z])(?:[Bb]earer|BEARER|[Bb]asic|BASIC)(?:\s|%20|\+){1,4})(?=.[a-z.]*[A-Z0-9_~+/=-]|[a-z.]{20})[\w.~+/=-]{6,}/g;

// Forms by which their issuers want them to be found.
const TOKENS = new RegExp(
  [
    String.raw`eyJ[\w-]{8,}(?:\.[\w-]+){0,2}`, // JWT, also cut off
    String.raw`gh[oprsu]_[A-Za-z0-9]{16,}`, // GitHub
    String.raw`github_pat_\w{16,}`,
    String.raw`gl(?:pat|dt|rt|ptt|cbt)-[\w-]{16,}`, // GitLab
    String.raw`(?<![A-Za-z0-9])sk-[\w-]{16,}`, // OpenAI, Anthropic
    String.raw`[prs]k_(?:live|test)_[A-Za-z0-9]{8,}`, // Stripe
    String.raw`whsec_[\w+/=]{16,}`,
    String.raw`xox[abeoprs]-[A-Za-z0-9-]{8,}`, // Slack
    String.raw`xapp-[A-Za-z0-9-]{16,}`,
    String.raw`hooks\.slack\.com/services/[\w/]{8,}`,
    String.raw`A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}`, // AWS
    String.raw`AIza[\w-]{30,}`, // Google
    String.raw`ya29\.[\w-]{16,}`,
    String.raw`GOCSPX-[\w-]{16,}`,
    String.raw`npm_[A-Za-z0-9]{30,}`,
    String.raw`pypi-[\w-]{16,}`,
    String.raw`hf_[A-Za-z0-9]{16,}`, // Hugging Face
    String.raw`SG\.[\w-]{16,}(?:\.[\w-]+)?`, // SendGrid
    String.raw`do[opr]_v1_[a-f0-9]{32,}`, // DigitalOcean
    String.raw`shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{16,}`, // Shopify
  ].join('|'),
  'g',
);

// The credentials of a URL.
const URL_CREDENTIALS = /(:\/\/[^\s/:@]*:)[^\s/]+(?=@)/g;

const PRIVATE_KEYS = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g;

/** The text without the secrets that are known by their form. */
export function withoutSecrets(text: string): string {
  if (text.length < SHORTEST) return text;
  let result = text;
  if (result.includes('-----BEGIN ')) result = result.replace(PRIVATE_KEYS, REDACTED);
  if (result.includes('=') || result.includes(':')) {
    result = withoutNamed(result);
    if (result.includes('://')) result = result.replace(URL_CREDENTIALS, `$1${REDACTED}`);
  }
  return result.replace(SCHEMES, `$1${REDACTED}`).replace(TOKENS, REDACTED);
}

// What is left stays what it was, for example JSON: quotes that were there are there.
function withoutNamed(text: string): string {
  let result = '';
  let done = 0;
  NAMES.lastIndex = 0;
  for (let name = NAMES.exec(text); name !== null; name = NAMES.exec(text)) {
    const [, header, plural] = name;
    const start = NAMES.lastIndex;
    const quote = quoteAt(text, start);
    const from = quote === undefined ? start : quote + 1;
    let end: number;
    if (quote !== undefined) end = endOfQuoted(text, from, text.charCodeAt(quote), quote - start);
    else if (header !== undefined) end = endOfLine(text, from);
    else end = endOfWord(text, from);
    if (quote === undefined && end - from < (header === undefined ? SHORTEST_VALUE : 1)) continue;
    const value = text.slice(from, end);
    if ((plural === 's' && NUMBER.test(value)) || (quote === undefined && NOTHING.test(value))) continue;
    result += text.slice(done, from) + REDACTED;
    done = end;
    NAMES.lastIndex = end;
  }
  return done === 0 ? text : result + text.slice(done);
}

const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;

/** Where the quote is that opens here, after its backslashes; undefined where none does. */
function quoteAt(text: string, start: number): number | undefined {
  const at = afterBackslashes(text, start);
  return isQuote(text.charCodeAt(at)) ? at : undefined;
}

/**
 * Where quoted text ends: at the quote that has as many backslashes before it as the one that opened it, not counting those
 * that stand for themselves; or where the text around it, which has fewer, or the line does.
 */
function endOfQuoted(text: string, from: number, quote: number, backslashes: number): number {
  const period = 2 * (backslashes + 1);
  for (let at = from; at < text.length; at++) {
    const start = at;
    at = afterBackslashes(text, at);
    const code = text.charCodeAt(at);
    if (isLineBreak(code)) return at;
    if (code !== quote) continue;
    const before = at - start;
    if (before < backslashes) return start;
    // JSON does not escape a single quote again: one with more before it is always inside
    if (quote === DOUBLE_QUOTE ? before % period === backslashes : before === backslashes) return at - backslashes;
  }
  return text.length;
}

function endOfLine(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isLineBreak(text.charCodeAt(at))) at++;
  return at;
}

/** Where a value without quotes ends: a comma or a quote inside of it is part of it. */
function endOfWord(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const start = at;
    at = afterBackslashes(text, at);
    const character = text.charAt(at);
    if (/[\s&;]/.test(character)) return at;
    const quote = isQuote(character.charCodeAt(0));
    if (quote && !/[A-Za-z0-9]/.test(text.charAt(at + 1))) return start;
    if (character === ',' && (at + 1 >= text.length || /[\s"'\\]/.test(text.charAt(at + 1)))) return at;
  }
  return text.length;
}

function afterBackslashes(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BACKSLASH) at++;
  return at;
}

function isQuote(code: number): boolean {
  return code === DOUBLE_QUOTE || code === SINGLE_QUOTE;
}

function isLineBreak(code: number): boolean {
  return code === LINE_FEED || code === CARRIAGE_RETURN;
}
