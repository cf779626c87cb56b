// The table of settings against the code: nothing is read that is not in it, and each has its flag.
import { globSync, readFileSync } from 'node:fs';
import { describe, expect } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { SETTING_FLAGS, takeSettings } from '../../src/cli/settings-flags.ts';
import { verifies } from '../harness/verifies.ts';

const SRC = new URL('../../src/', import.meta.url).pathname;
const DOC = new URL('../../docs/doors.md', import.meta.url);

describe('the settings', () => {
  verifies(
    'config.settings',
    () => {
      const files = globSync('**/*.ts', { cwd: SRC }).filter((file) => file !== 'config/settings.ts');
      expect(files.length).toBeGreaterThan(150);
      const read = files.flatMap(
        (file) => readFileSync(SRC + file, 'utf8').match(/\bTOOLSPAN_[A-Z_]+(?=['\]])/g) ?? [],
      );
      const own = readFileSync(`${SRC}config/settings.ts`, 'utf8').match(/\b(?<=\w\(')TOOLSPAN_[A-Z_]+(?='\))/g) ?? [];
      const variables = SETTINGS.map(({ variable }) => variable);
      expect([...new Set([...read, ...own])].toSorted()).toEqual(variables.toSorted());
    },
    'all that the code reads',
  );

  verifies(
    'wrap.settings',
    () => {
      const doc = readFileSync(DOC, 'utf8');
      for (const { variable, flag, kind } of SETTINGS) {
        // a word must be one of those that there are: both settings of this kind have this one
        const value = kind === 'word' ? 'off' : 'x';
        const given = kind === 'switch' ? [`--${flag}`] : [`--${flag}`, value];
        expect(takeSettings([...given, '--', `--${flag}`])).toEqual({
          variables: { [variable]: kind === 'switch' ? 'true' : value },
          rest: ['--', `--${flag}`],
        });
        expect(SETTING_FLAGS).toContain(`--${flag}`);
        expect(doc).toMatch(new RegExp(`^\\| \`${variable}\` +\\| \`--${flag}\\b`, 'm'));
      }
    },
    'each is a flag, and documented',
  );
});
