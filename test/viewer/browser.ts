// A real browser: Debian's Chromium, driven by playwright-core.
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PATHS = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const path = PATHS.find((candidate) => candidate !== '' && existsSync(candidate));

/** True where there is no browser and that is allowed: not in CI. */
export const withoutBrowser: boolean = path === undefined && process.env['CI'] === undefined;
if (withoutBrowser) {
  process.stderr.write(
    'The tests in a browser are skipped: no Chromium was found. Install it (apt-get install chromium) or name it in CHROMIUM.\n',
  );
}

/** Starts the browser. */
export function openBrowser(): Promise<Browser> {
  if (path === undefined) throw new Error('no Chromium was found; install it (apt-get install chromium)');
  return chromium.launch({
    executablePath: path,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
