// Several windows of one browser, which opens six connections to one host at most.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { withoutBrowser } from './browser.ts';
import { viewerClient } from './client.ts';
import { openPages, rowsOf, type OpenPages } from './open-pages.ts';
import { post, spansBody } from './otlp-bodies.ts';
import { call } from './sample-telemetry.ts';

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: 120_000 });

const TABS = 8;
const NO_LOCKS = `Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })`;

let on: OpenPages;

/** A viewer of its own, and a page of it. */
async function viewed() {
  const client = await viewerClient();
  const page = await on.open('/traces', { client });
  return {
    page,
    address: `${client.viewer.endpoint}/traces`,
    async send(tool: string) {
      const { spans } = call(tool, Date.now(), 20, 'ok');
      await post(client.viewer.endpoint, 'traces', spansBody(spans));
    },
  };
}

const shows = (page: Page, tool: string) => rowsOf(page).getByText(tool).waitFor();

/** As when the window is covered by another, or shown again. */
async function turn(page: Page, state: 'hidden' | 'visible'): Promise<void> {
  await page.evaluate(`Object.defineProperty(document, 'visibilityState', { value: '${state}', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`);
}

describe.skipIf(withoutBrowser)('windows', () => {
  beforeAll(async () => {
    on = await openPages();
  });
  afterAll(() => on.close());

  verifies('page.tabs', async () => {
    const { page: first, address, send } = await viewed();
    const pages = [first];
    while (pages.length < TABS) {
      const page = await first.context().newPage();
      await page.goto(address);
      await page.getByRole('grid', { name: 'Traces' }).or(page.getByText('No trace is like that.')).first().waitFor();
      pages.push(page);
    }
    await send('to_all');
    await Promise.all(pages.map((page) => shows(page, 'to_all')));
    // another one listens for all once the one that did is gone
    for (let round = 0; round < 3; round++) {
      await pages.shift()?.close();
      await send(`after_${round}`);
      await Promise.all(pages.map((page) => shows(page, `after_${round}`)));
    }
  });

  verifies(
    'page.tabs',
    async () => {
      const { page: first, address, send } = await viewed();
      await first.context().addInitScript(NO_LOCKS);
      await first.goto(address);
      const pages = [first];
      while (pages.length < TABS) {
        await turn(pages.at(-1) ?? first, 'hidden');
        const page = await first.context().newPage();
        await page.goto(address);
        await page.getByText('No trace is like that.').waitFor();
        pages.push(page);
      }
      const last = pages.at(-1) ?? first;
      await send('while_hidden');
      await shows(last, 'while_hidden');
      await turn(last, 'hidden');
      expect(await rowsOf(first).getByText('while_hidden').count()).toBe(0);
      // it asks for what it missed
      await turn(first, 'visible');
      await shows(first, 'while_hidden');
      await eventually('it is live again', async () => {
        await send('again');
        return (await rowsOf(first).getByText('again').count()) > 0 || undefined;
      });
    },
    'those that are shown, where the browser has no locks: over plain HTTP from another machine',
  );
});
