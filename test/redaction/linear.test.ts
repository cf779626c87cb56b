// No text makes a pattern slow: ten times the text takes about ten times as long, where a bad pattern takes a hundred times.
import { describe, expect } from 'vitest';
import { Redactor } from '../../src/redaction/redactor.ts';
import { withoutSecrets } from '../../src/redaction/secret-text.ts';
import { wordsOf } from '../../src/redaction/secret-keys.ts';
import { SECRETS } from '../harness/secrets.ts';
import { verifies } from '../harness/verifies.ts';

const SIZES = [10_000, 100_000, 1_000_000];
// linear is 10, quadratic is 100; the machine may be busy
const MOST = 45;

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

function fastest(work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

/** The worst growth from one size to the next; a pattern that is not linear is found before the largest is tried. */
function growth(work: (text: string) => unknown, text: string, sizes: readonly number[] = SIZES): number {
  let worst = 0;
  let before: number | undefined;
  for (const size of sizes) {
    const part = text.slice(0, size);
    // what is below a tenth of a millisecond is noise
    const took = Math.max(
      0.1,
      fastest(() => work(part)),
    );
    worst = Math.max(worst, took / (before ?? took));
    if (worst > MOST) return worst;
    before = took;
  }
  return worst;
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
      expect(growth((text) => text.replace(/a+b/g, ''), repeated('a'), [2_000, 20_000])).toBeGreaterThan(MOST);
    },
    'and a pattern that is not linear would be seen',
  );
});
