// One secret of every documented form, with text that it may stand in. None of them was ever valid.

const alnum = (length: number) => 'aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0z'.repeat(4).slice(0, length);
const jwt = `eyJ${alnum(30)}.eyJ${alnum(40)}.${alnum(43)}`;

/** Form, the secret itself, and the secret as it may be found in text. */
export const SECRETS: readonly (readonly [form: string, secret: string, around: string])[] = [
  ['bearer', alnum(32), `Bearer ${alnum(32)}`],
  ['basic', 'dXNlcjpodW50ZXIy', 'Basic dXNlcjpodW50ZXIy'],
  [
    'authorization header',
    'Digest username="Mufasa", response="6629fae4"',
    'Authorization: Digest username="Mufasa", response="6629fae4"',
  ],
  ['cookie header', 'sid=31d4d96e407aad42; theme=dark', 'Cookie: sid=31d4d96e407aad42; theme=dark'],
  ['JWT', jwt, jwt],
  ['JWT, cut off', `eyJ${alnum(30)}.eyJ${alnum(8)}`, `eyJ${alnum(30)}.eyJ${alnum(8)}`],
  ['password assignment', 'hunter2!x', 'password=hunter2!x'],
  ['password in JSON', 'hunter two!', '"db_password": "hunter two!"'],
  ['api key assignment', 'k3y-1234567', 'api_key: k3y-1234567'],
  ['token in a query', 'q7Zx91kk', '?access_token=q7Zx91kk&page=2'],
  [
    'AWS secret',
    'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    'aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  ],
  ['GitHub', `ghp_${alnum(36)}`, `ghp_${alnum(36)}`],
  ['GitHub, fine-grained', `github_pat_${alnum(22)}_${alnum(30)}`, `github_pat_${alnum(22)}_${alnum(30)}`],
  ['GitLab', `glpat-${alnum(20)}`, `glpat-${alnum(20)}`],
  ['OpenAI', `sk-proj-${alnum(40)}`, `sk-proj-${alnum(40)}`],
  ['Anthropic', `sk-ant-api03-${alnum(40)}`, `sk-ant-api03-${alnum(40)}`],
  ['Stripe', `sk_live_${alnum(24)}`, `sk_live_${alnum(24)}`],
  ['Slack', 'xoxb-123456789012-abcdefABCDEF', 'xoxb-123456789012-abcdefABCDEF'],
  [
    'Slack webhook',
    'services/T00000000/B00000000/XXXXXXXX',
    'https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXX',
  ],
  ['AWS key id', 'AKIAIOSFODNN7EXAMPLE', 'AKIAIOSFODNN7EXAMPLE'],
  ['Google', `AIza${alnum(35)}`, `AIza${alnum(35)}`],
  ['npm', `npm_${alnum(36)}`, `npm_${alnum(36)}`],
  ['Hugging Face', `hf_${alnum(34)}`, `hf_${alnum(34)}`],
  ['SendGrid', `SG.${alnum(22)}.${alnum(43)}`, `SG.${alnum(22)}.${alnum(43)}`],
  ['URL', 's3cr3t:p@ss', 'postgres://app:s3cr3t:p@ss@db:5432/main'],
  [
    'private key',
    'MIIEpAIBAAKCAQEA7bq98x',
    '-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq98x\n-----END RSA PRIVATE KEY-----',
  ],
];
