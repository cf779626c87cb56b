// No text makes a pattern slow: a hundred times the text takes about a hundred times as long, and not ten thousand times.
import { describe, expect } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.ts';
import { withoutSecrets } from '../../src/redaction/secret-text.ts';
import { wordsOf } from '../../src/redaction/secret-keys.ts';
import { SECRETS } from '../harness/secrets.ts';
import { verifies } from '../harness/verifies.ts';

const SIZES = [10_000, 100_000, 1_000_000] as const;
// over all sizes: linear is 100, and a few times that where memory is collected; quadratic is 10,000
const MOST = 2_500;
// from one size to the next: linear is 10, quadratic is 100
const HOPELESS = 60;

/** The first halves of everything that a pattern looks for, so that each begins to match and fails late, or nearly. */
const PIECES: readonly string[] = [
  'Bearer ',
  'Basic ',
  'bearer',
  'eyJ',
  'eyJ.',
  'eyJaaaaaaaa.',
  'eyJ-',
  'ghp_',
  'github_pat_',
  'glpat-',
  'sk-',
  '-sk-',
  'sk-ant-',
  'sk_live_',
  'xoxb-',
  'AKIA',
  'AIza',
  'npm_',
  'hf_',
  'SG.',
  'SG.aaaaaaaaaaaaaaaa.',
  'whsec_',
  'ya29.',
  'pypi-',
  'dop_v1_',
  'password',
  'password=',
  'password="',
  "password='",
  'password\\"',
  'password=\\"',
  'token',
  'secret:',
  'api_key',
  'key=',
  'cookie:',
  'authorization: "',
  'Authorization',
  '://',
  '://a:',
  '://a:b',
  '://:',
  'a:',
  '@',
  '-----BEGIN ',
  '-----BEGIN RSA PRIVATE KEY-----',
  '-----END ',
  '-----BEGIN RSA PRIVATE KEY----- -----END RSA ',
  ' ',
  '\n',
  '=',
  ':',
  '"',
  "'",
  '.',
  '-',
  '_',
  'a',
  'A',
  'aA',
  '1',
  'é',
  '\u{1F9A9}',
  ...SECRETS.map(([, , around]) => around),
];

/** CPU time in ms, so that a busy machine does not count; what is below a tenth of a millisecond is noise. */
function fastest(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1_000);
  }
  return Math.max(0.1, best);
}

/** How much longer the largest text takes than the smallest; what is not linear is found before the largest is tried. */
function growth(
  work: (text: string) => unknown,
  text: string,
  sizes: readonly [number, number, number] = SIZES,
): number {
  const [small, medium, large] = sizes;
  const took = (size: number) => fastest(() => void work(text.slice(0, size)));
  const least = took(small);
  const step = took(medium) / least;
  return step > HOPELESS ? step * step : took(large) / least;
}

const LONGEST = Math.max(...SIZES);
const repeated = (piece: string) => piece.repeat(Math.ceil(LONGEST / piece.length)).slice(0, LONGEST);

describe('a megabyte of hostile text', () => {
  verifies(
    'redaction.linear',
    () => {
      for (const piece of PIECES) {
        expect(growth(withoutSecrets, repeated(piece)), JSON.stringify(piece)).toBeLessThan(MOST);
      }
    },
    'one piece, over and over',
  );

  verifies(
    'redaction.linear',
    () => {
      for (const head of [
        'Bearer',
        'eyJ',
        'password="',
        "cookie: '",
        '://a:',
        '-----BEGIN RSA PRIVATE KEY-----',
        'SG.',
        'sk-',
        'AKIA',
      ]) {
        for (const tail of [' ', 'a', 'A', '.', '-', '=', '"', '\\"', ':']) {
          const ratio = growth(withoutSecrets, head + repeated(tail));
          expect(ratio, JSON.stringify([head, tail])).toBeLessThan(MOST);
        }
      }
    },
    'a beginning, then one character without end',
  );

  verifies(
    'redaction.linear',
    () => {
      for (const piece of ['A', 'a', 'aA', 'A_', '1a', '-']) {
        expect(growth(wordsOf, repeated(piece))).toBeLessThan(MOST);
        expect(growth((text) => void new Redactor().record({ [text]: text }), repeated(piece))).toBeLessThan(MOST);
      }
    },
    'as a key',
  );

  verifies(
    'redaction.linear',
    () => {
      expect(growth((text) => text.replace(/a+b/g, ''), repeated('a'), [500, 5_000, 50_000])).toBeGreaterThan(MOST);
    },
    'and a pattern that is not linear would be seen',
  );
});
