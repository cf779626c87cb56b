// A browser, a viewer with the sample telemetry in it, and views of it that are opened.
import type { Browser, Locator, Page } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import type { TraceList } from '../../src/viewer/api/shapes.ts';
import { openBrowser } from './browser.ts';
import { viewerClient, type ViewerClient } from './client.ts';
import { sendSample } from './sample-telemetry.ts';

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 360, height: 740 };

export interface OpenOptions {
  readonly dark?: boolean;
  readonly size?: { readonly width: number; readonly height: number };
  /** Another viewer than that with the sample. */
  readonly client?: ViewerClient;
}

export interface OpenPages {
  readonly browser: Browser;
  readonly sample: ViewerClient;
  /** A trace that failed after three attempts. */
  readonly failing: string;
  /** A trace in two rounds. */
  readonly booked: string;
  /** Opens a view in a browser of its own; what the browser complains about fails the test. */
  open(path: string, options?: OpenOptions): Promise<Page>;
  close(): Promise<void>;
}

/** Starts browser and viewer. */
export async function openPages(): Promise<OpenPages> {
  const browser = await openBrowser();
  const sample = await viewerClient({}, true);
  await sendSample(sample.viewer.endpoint);
  const list = await sample.get<TraceList>('/api/traces?tool=forecast&outcome=tool_error&sort=slowest');
  const booked = await sample.get<TraceList>('/api/traces?tool=book');
  return {
    browser,
    sample,
    failing: list.traces.find(({ spans }) => spans === 3)?.traceId ?? '',
    booked: booked.traces[0]?.traceId ?? '',
    open: (path, options) => open(browser, path, { client: sample, ...options }),
    async close() {
      await browser.close();
      await sample.viewer.close();
    },
  };
}

async function open(
  browser: Browser,
  path: string,
  { dark = false, size = WIDE, client }: OpenOptions & { readonly client: ViewerClient },
): Promise<Page> {
  const colorScheme = dark ? 'dark' : 'light';
  const context = await browser.newContext({ viewport: size, colorScheme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    // that something is not there is an answer, and shown
    const isAnswer = message.text().includes('status of 404');
    if (['error', 'warning'].includes(message.type()) && !isAnswer) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  onTestFinished(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });
  await page.goto(client.viewer.url);
  if (path !== '/') await page.goto(client.viewer.endpoint + path);
  return page;
}

/** The rows of the list of traces that are there now. */
export const rowsOf = (page: Page): Locator => page.locator('[role=grid] [role=row]');
/** The rows of the waterfall that are there now. */
export const spansOf = (page: Page): Locator => page.locator('[role=treegrid] [role=row]');
/** The parameters of the address. */
export const query = (page: Page): URLSearchParams => new URL(page.url()).searchParams;
