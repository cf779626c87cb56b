// What leaves the process of any value: no secret of a documented form, and nothing without bounds.
import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.ts';
import { withoutSecrets } from '../../src/redaction/secret-text.ts';
import { SECRETS } from '../harness/secrets.ts';
import { verifies } from '../harness/verifies.ts';

const redactor = new Redactor();
const HIDDEN = '[REDACTED]';

describe('keys', () => {
  verifies('redaction.keys', () => {
    const secret =
      'authorization Authorization proxy-authorization cookie Set-Cookie password db_password userPassword passwd pwd ' +
      'passphrase secret client_secret clientSecret AWS_SECRET_ACCESS_KEY token access_token accessToken refreshTokens ' +
      'id_token API_KEY apiKey apikey x-api-key XApiKey privateKey ssh_key credentials jwt csrfToken connectionString ' +
      'basicAuth session_key cvv otp';
    for (const key of secret.split(' ')) {
      expect(redactor.record({ [key]: 'x' }), key).toEqual({ [key]: HIDDEN });
      expect(redactor.value([{ deep: { [key]: { all: 'of it' } } }]), key).toEqual([{ deep: { [key]: HIDDEN } }]);
    }
    expect(redactor.record({ password: 1234, hasPassword: true, token: null })).toEqual({
      password: HIDDEN,
      hasPassword: true,
      token: null,
    });
    const headers = new Headers({ authorization: 'x', accept: '*/*' });
    expect(
      redactor.value(
        new Map<unknown, unknown>([
          ['password', 'x'],
          [1, 'y'],
        ]),
      ),
    ).toEqual({ password: HIDDEN, 1: 'y' });
    expect(redactor.record({ headers })).toEqual({ headers: { accept: '*/*', authorization: HIDDEN } });
  });

  verifies('redaction.not-secrets', () => {
    const harmless = {
      monkey: 'x',
      author: 'x',
      authority: 'x',
      authorName: 'x',
      passenger: 'x',
      compass: 'x',
      secretary: 'x',
      tokenizer: 'x',
      keyboard: 'x',
      key: 'x',
      publicKey: 'x',
      cookiecutter: 'x',
      'gen_ai.usage.input_tokens': 12,
      'gen_ai.usage.output_tokens': 12,
      max_tokens: 12,
      maxTokens: 12,
      token_count: 12,
      tokenType: 'x',
      progressToken: 1,
      session_id: 'x',
    };
    expect(redactor.record(harmless)).toEqual(harmless);
    const prose = [
      'a monkey wrote to the author, 12 input_tokens: 34',
      'basic authentication is needed, bearer of bad news',
      'Basic information about task-runner-configuration-files',
      'https://example.com/a/path?q=1&page=2#top',
      'the sketch-of-the-disk-usage-of-process-1234567890',
      'GET /users/42 200 in 12.5 ms (trace 4bf92f3577b34da6a3ce929d0e0e4736)',
      'C:\\Users\\ada and /home/ada/.ssh/known_hosts',
    ];
    for (const text of prose) expect(withoutSecrets(text)).toBe(text);
  });
});

describe('text', () => {
  for (const [form, secret, around] of SECRETS) {
    verifies(
      'redaction.text',
      () => {
        for (const text of [around, `before ${around} after`, `["${around}"]`, `(${around})`, `${around}\n${around}`]) {
          const kept = withoutSecrets(text);
          expect(kept).not.toContain(secret);
          expect(kept).toContain(HIDDEN);
        }
        expect(JSON.stringify(redactor.record({ note: around, list: [around], [around]: 1 }))).not.toContain(secret);
      },
      form,
    );
  }

  verifies(
    'redaction.text',
    () => {
      expect(withoutSecrets('{"password":"hunter2","city":"Paris"}')).toBe('{"password":"[REDACTED]","city":"Paris"}');
      expect(withoutSecrets('{\\"api_key\\":\\"abc123\\",\\"n\\":1}')).toBe(
        '{\\"api_key\\":\\"[REDACTED]\\",\\"n\\":1}',
      );
      expect(withoutSecrets('postgres://app:s3cr3t@db:5432/x')).toBe('postgres://app:[REDACTED]@db:5432/x');
      expect(withoutSecrets('GET /x?access_token=abc123&page=2')).toBe('GET /x?access_token=[REDACTED]&page=2');
    },
    'what stands around it stays',
  );
});

describe('rules', () => {
  verifies('redaction.rules', () => {
    const own = new Redactor({
      keys: ['customerId', /^x-internal-/gi],
      values: [/\bEMP-\d{4}\b/, /(?:)/],
      keep: ['token'],
    });
    expect(
      own.record({
        customer_id: 'c1',
        'Customer-ID': 'c2',
        'x-internal-a': 1,
        'X-Internal-B': 2,
        token: 'shown',
        password: 'p',
      }),
    ).toEqual({
      customer_id: HIDDEN,
      'Customer-ID': HIDDEN,
      'x-internal-a': HIDDEN,
      'X-Internal-B': HIDDEN,
      token: 'shown',
      password: HIDDEN,
    });
    expect(own.text('EMP-1234 and EMP-5678 met')).toBe('[REDACTED] and [REDACTED] met');
    // a pattern that remembers where it was would miss every other one
    for (let times = 0; times < 3; times++) expect(own.isSecret(`x-internal-${times}`)).toBe(true);
  });

  verifies('redaction.limits', () => {
    const small = new Redactor({ maxDepth: 2, maxEntries: 3, maxText: 16, maxTotal: 64 });
    expect(small.value({ a: { b: { c: 1 } } })).toEqual({ a: { b: '[TRUNCATED]' } });
    expect(small.value([1, 2, 3, 4, 5])).toEqual([1, 2, 3, '[2 more]']);
    expect(small.value({ a: 1, b: 2, c: 3, d: 4 })).toEqual({ a: 1, b: 2, c: 3, '[TRUNCATED]': '1 more' });
    expect(small.value('x'.repeat(100))).toBe(`${'x'.repeat(15)}…`);
    expect(JSON.stringify(small.value(Array.from({ length: 3 }, () => 'y'.repeat(1_000)))).length).toBeLessThan(100);
    expect(JSON.stringify(redactor.value(Array.from({ length: 1e5 }, () => 'z'.repeat(1e4)))).length).toBeLessThan(
      20_000,
    );
    const wide = (depth: number): unknown => (depth === 0 ? 1 : Array.from({ length: 90 }, () => wide(depth - 1)));
    expect(JSON.stringify(redactor.value(wide(3))).length).toBeLessThan(50_000);
    // a secret does not hide across the cut
    const straddling = `${'a '.repeat(1_020)}ghp_${'A1b2'.repeat(9)}`;
    expect(new Redactor({ maxText: 2_048 }).text(straddling)).not.toContain('ghp_A1b2');
  });
});

describe('any value', () => {
  const planted = fc.constantFrom(...SECRETS);
  const gap = fc.constantFrom(' ', '\n', '"', "'", '(', '[', ', ', '>', '');
  /** Text with a secret somewhere in it, and the secret. */
  const textWithSecret = fc
    .tuple(fc.string({ unit: 'binary' }), gap, planted, gap, fc.string({ unit: 'binary' }))
    .map(([before, open, [, secret, around], close, after]) => ({
      secret,
      text: `${before} ${open}${around}${close} ${after}`,
    }));

  verifies('redaction.any-value', () => {
    fc.assert(
      fc.property(
        fc.array(textWithSecret, { minLength: 1, maxLength: 4 }),
        fc.object({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
        }),
        fc.string(),
        (secrets, rest, key) => {
          const value = {
            rest,
            [key]: secrets.map(({ text }) => text),
            nested: {
              [secrets[0]?.text ?? '']: {
                list: [new Error(secrets[0]?.text), new Set(secrets.map(({ text }) => text))],
              },
            },
          };
          const json = JSON.stringify(redactor.value(value));
          expect(JSON.parse(json)).toBeTypeOf('object');
          for (const { secret } of secrets) expect(json).not.toContain(JSON.stringify(secret).slice(1, -1));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  verifies(
    'redaction.any-value',
    () => {
      const circular: Record<string, unknown> = { name: 'ring' };
      circular['self'] = circular;
      const revoked = Proxy.revocable({}, {});
      revoked.revoke();
      class Money {
        readonly cents = 5n;
        toJSON(): unknown {
          return { cents: this.cents, token: 'x' };
        }
      }
      const odd = {
        circular,
        revoked: revoked.proxy,
        get angry(): unknown {
          throw new Error('no');
        },
        date: new Date(0),
        invalid: new Date(Number.NaN),
        money: new Money(),
        self: {
          toJSON: () => {
            throw new Error('no');
          },
        },
        bytes: new Uint8Array(1_000),
        nan: Number.NaN,
        big: 10n ** 30n,
        symbol: Symbol('s'),
        run: () => 1,
        none: undefined,
        url: new URL('https://u:pass@example.com/?token=abcdef'),
        error: new TypeError('password=hunter2'),
        pattern: /x/,
        ['__proto__x']: 1,
      };
      const plain = redactor.record(odd);
      expect(JSON.parse(JSON.stringify(plain))).toEqual({
        circular: { name: 'ring', self: '[circular]' },
        revoked: '[unreadable]',
        angry: '[unreadable]',
        date: '1970-01-01T00:00:00.000Z',
        invalid: null,
        money: { cents: '5', token: HIDDEN },
        self: { toJSON: '[function]' },
        bytes: '[binary, 1000 bytes]',
        nan: 'NaN',
        big: '1000000000000000000000000000000',
        symbol: 'Symbol(s)',
        run: '[function]',
        url: 'https://u:[REDACTED]@example.com/?token=[REDACTED]',
        error: 'TypeError: password=[REDACTED]',
        pattern: '/x/',
        __proto__x: 1,
      });
      const polluting = JSON.parse('{"__proto__":{"polluted":true}}') as object;
      redactor.record(polluting);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    },
    'of every odd kind',
  );
});
