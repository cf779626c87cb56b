// Secrets inside text, by their form. Pure. Every pattern takes time in proportion to the text, whatever the text is: what
// may be long is never followed by something that must still match, or cannot begin again inside what was read.

/** Stands where a secret was. */
export const REDACTED = '[REDACTED]';

const SHORTEST = 8;

// A header is a secret to the end of its line, or of its quotes: `Authorization: ...`, `"cookie":"..."`.
const HEADERS =
  /((?:authorization|cookie)(?:\\?["'])?\s{0,3}[=:]\s{0,3})(\\?"[^"\r\n]*"?|'[^'\r\n]*'?|[^"'\s][^\r\n]*)/gi;

// `password=...`, `"api_key": "..."`, `?access_token=...`.
const ASSIGNMENTS =
  /((?:pass(?:word|wd|phrase|code)|pwd|secret|token|api[_-]?key|(?:access|account|private|shared|secret)[_-]?key|credentials?|jwt)(?:\\?["'])?\s{0,3}[=:]\s{0,3})(\\?"[^"\r\n]*"?|'[^'\r\n]*'?|[^\s"'&,;]{3,})/gi;

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
    result = result.replace(HEADERS, keepName).replace(ASSIGNMENTS, keepName);
    if (result.includes('://')) result = result.replace(URL_CREDENTIALS, `$1${REDACTED}`);
  }
  return result.replace(SCHEMES, `$1${REDACTED}`).replace(TOKENS, REDACTED);
}

// What is left stays what it was, for example JSON: quotes that were there are there.
function keepName(_: string, name: string, value: string): string {
  const open = /^\\?["']/.exec(value)?.[0] ?? '';
  const close = open !== '' && value.length > open.length && value.endsWith(open.slice(-1)) ? open : '';
  return `${name}${open}${REDACTED}${close}`;
}
