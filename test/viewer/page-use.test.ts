// What one does with the page: filter, follow, hold still, by keyboard, over very much.
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import type { TraceList } from '../../src/viewer/api/shapes.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { Child } from '../harness/child.ts';
import { withoutBrowser } from './browser.ts';
import { viewerClient } from './client.ts';
import { openPages, query, rowsOf, spansOf, type OpenOptions, type OpenPages } from './open-pages.ts';
import { post, spanId, spansBody, traceId, type SampleSpan } from './otlp-bodies.ts';
import { call } from './sample-telemetry.ts';

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: 120_000 });

const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname;

let on: OpenPages;
const open = (path: string, options?: OpenOptions) => on.open(path, options);

describe.skipIf(withoutBrowser)('using the page', () => {
  beforeAll(async () => {
    on = await openPages();
  });
  afterAll(() => on.close());

  verifies('page.filters', async () => {
    const page = await open('/traces');
    await page.getByLabel('Tool', { exact: true }).selectOption('forecast');
    await page.getByRole('button', { name: 'Failed' }).click();
    await page.getByLabel('Outcome').selectOption('tool_error');
    await eventually('only failed forecasts', async () => {
      const texts = await rowsOf(page).allInnerTexts();
      return (texts.length > 3 && texts.every((text) => /forecast/.test(text) && /tool_error/.test(text))) || undefined;
    });
    expect(Object.fromEntries(query(page))).toEqual({ tool: 'forecast', failed: 'true', outcome: 'tool_error' });
    const field = page.getByRole('searchbox');
    await field.fill('jsonrpc.request.id=nothing');
    await field.press('Enter');
    await page.getByText('No trace is like that.').waitFor();
    expect(query(page).getAll('attribute')).toEqual(['jsonrpc.request.id=nothing']);
    await page.getByRole('button', { name: 'Take out jsonrpc.request.id=nothing' }).click();
    await field.fill('weather.EXAMPLE');
    await eventually('the text is in the address', () =>
      query(page).get('text') === 'weather.EXAMPLE' ? true : undefined,
    );
    await rowsOf(page).first().waitFor();
    // the address is the state: the same again in another browser, and back where one was
    const other = await open(new URL(page.url()).pathname + new URL(page.url()).search);
    await rowsOf(other).first().waitFor();
    expect(await other.getByRole('searchbox').inputValue()).toBe('weather.EXAMPLE');
    expect(await other.getByLabel('Tool', { exact: true }).inputValue()).toBe('forecast');
    await rowsOf(page).first().getByRole('link').click();
    await spansOf(page).first().waitFor();
    await page.goBack();
    await rowsOf(page).first().waitFor();
    expect(query(page).get('tool')).toBe('forecast');
  });

  verifies('page.live', async () => {
    const client = await viewerClient();
    const page = await open('/traces', { client });
    await page.getByText('No trace is like that.').waitFor();
    const send = async (tool: string) => {
      const { spans } = call(tool, Date.now(), 20, 'ok');
      await post(client.viewer.endpoint, 'traces', spansBody(spans));
    };
    await send('first_one');
    await rowsOf(page).getByText('first_one').waitFor();
    await page.keyboard.press('p');
    await page.getByRole('button', { name: 'Paused' }).waitFor();
    await send('while_still');
    await eventually('it has arrived', async () =>
      (await client.get<TraceList>('/api/traces')).total === 2 ? true : undefined,
    );
    // filters go on working on what is held still
    await page.getByLabel('Outcome').selectOption('ok');
    await eventually('the filter was asked', () => (query(page).get('outcome') === 'ok' ? true : undefined));
    await rowsOf(page).getByText('first_one').waitFor();
    expect(await rowsOf(page).getByText('while_still').count()).toBe(0);
    await page.keyboard.press('p');
    await rowsOf(page).getByText('while_still').waitFor();
    // an open trace grows
    const id = traceId();
    const root: SampleSpan = {
      traceId: id,
      spanId: spanId(),
      name: 'grows',
      kind: 2,
      startMs: Date.now(),
      durationMs: 50,
    };
    const child = { ...root, spanId: spanId(), parentSpanId: root.spanId, name: 'comes later' };
    await post(client.viewer.endpoint, 'traces', spansBody([child]));
    await page.goto(`${client.viewer.endpoint}/traces/${id}`);
    await page.getByText('parent missing').first().waitFor();
    await page.getByText('still receiving').waitFor();
    await post(client.viewer.endpoint, 'traces', spansBody([root]));
    await eventually('both spans', async () => ((await spansOf(page).count()) === 2 ? true : undefined));
    expect(await page.getByText('parent missing').count()).toBe(0);
  });

  verifies('page.keyboard', async () => {
    const page = await open('/');
    await page.getByText('weather-api').first().waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await rowsOf(page).first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('UpstreamError');
    await eventually('the search is in the address', () =>
      query(page).get('text') === 'UpstreamError' ? true : undefined,
    );
    await eventually('the rows are found', async () =>
      (await page.locator('.list-head').innerText()).startsWith('344') ? undefined : true,
    );
    await page.keyboard.press('Escape');
    await page.getByRole('grid', { name: 'Traces' }).focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await spansOf(page).first().waitFor();
    const tree = page.getByRole('treegrid', { name: 'Spans' });
    await tree.focus();
    const active = () => tree.getAttribute('aria-activedescendant');
    const first = await active();
    await page.keyboard.press('ArrowDown');
    expect(await active()).not.toBe(first);
    const visible = await spansOf(page).count();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowLeft');
    await eventually('it is collapsed', async () => ((await spansOf(page).count()) < visible ? true : undefined));
    expect(await spansOf(page).first().getAttribute('aria-expanded')).toBe('false');
    await page.keyboard.press(']');
    await eventually('all is expanded', async () => ((await spansOf(page).count()) === visible ? true : undefined));
    await page.keyboard.press('e');
    await page.getByRole('complementary').waitFor();
    expect(query(page).get('span')).not.toBeNull();
    await page.keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    const theme = () => page.locator('html').getAttribute('data-theme');
    expect(await theme()).toBe('system');
    await page.keyboard.press('t');
    expect(await theme()).toBe('light');
    await page.reload();
    expect(await theme()).toBe('light');
  });

  verifies('page.large', async () => {
    const client = await viewerClient();
    const { endpoint } = client.viewer;
    const id = traceId();
    const root: SampleSpan = {
      traceId: id,
      spanId: spanId(),
      name: 'the root',
      kind: 2,
      startMs: Date.now() - 60_000,
      durationMs: 50_000,
    };
    const many = Array.from({ length: 9_999 }, (_, n): SampleSpan => ({
      traceId: id,
      spanId: spanId(),
      parentSpanId: root.spanId,
      name: `step ${n}`,
      kind: 1,
      startMs: root.startMs + n * 5,
      durationMs: 4,
      ...(n === 9_990 && { error: 'the only one', attributes: { note: 'needle' } }),
    }));
    await post(endpoint, 'traces', spansBody([root, ...many]));
    for (let sent = 0; sent < 190_000; sent += 9_500) {
      const spans = Array.from({ length: 9_500 }, (_, n): SampleSpan => {
        const tool = `tool_${n % 9}`;
        const attributes = { 'mcp.method.name': 'tools/call', 'gen_ai.tool.name': tool, 'toolspan.outcome': 'ok' };
        const startMs = Date.now() - 30_000 - n;
        return {
          traceId: traceId(),
          spanId: spanId(),
          name: `tools/call ${tool}`,
          kind: 2,
          startMs,
          durationMs: 20,
          attributes,
        };
      });
      await post(endpoint, 'traces', spansBody(spans));
    }
    const page = await open('/traces', { client });
    await rowsOf(page).first().waitFor();
    // only what is in sight is there
    expect(await rowsOf(page).count()).toBeLessThan(80);
    await page.evaluate(`document.querySelector('[role=grid]').scrollTo(0, 3000)`);
    await eventually('the next page was loaded', async () =>
      (await page.evaluate<number>(`document.querySelector('[role=grid]').scrollHeight`)) > 4_000 ? true : undefined,
    );
    await page.getByLabel('Tool', { exact: true }).selectOption('tool_3');
    await eventually('it is filtered', async () =>
      (await rowsOf(page).allInnerTexts()).every((text) => text.includes('tool_3')) ? true : undefined,
    );
    await page.goto(`${endpoint}/traces/${id}`);
    await spansOf(page).first().waitFor();
    expect(await spansOf(page).count()).toBeLessThan(80);
    expect(await page.getByRole('treegrid').getAttribute('aria-rowcount')).toBe('10000');
    await page.keyboard.press('e');
    await page.getByRole('complementary').getByText('the only one').waitFor();
    await page.getByText('step 9990').first().waitFor();
    // a part of the time, by dragging over the whole of it
    const box = await page.locator('.minimap').boundingBox();
    const at = (share: number) => [(box?.x ?? 0) + (box?.width ?? 0) * share, (box?.y ?? 0) + 20] as const;
    await page.mouse.move(...at(0.4));
    await page.mouse.down();
    await page.mouse.move(...at(0.6));
    await page.mouse.up();
    await page.locator('.ticks').getByText('20.0 s', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Whole trace' }).click();
    await page.locator('.ticks').getByText('0 ns').waitFor();
    await page.getByPlaceholder('Find in this trace').fill('needle');
    await page.getByText('1 span', { exact: true }).waitFor();
    await page.goto(endpoint);
    await page.getByText('tool_8').first().waitFor();
  });

  verifies('page.demo', async () => {
    const demo = new Child(process.execPath, [MAIN, 'demo']);
    onTestFinished(async () => void (await demo.kill('SIGINT')));
    const url = await eventually('the address of the page', () => /Page +(http:\S+)/.exec(demo.stdout)?.[1]);
    const context = await on.browser.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    await page.goto(url);
    // the token has gone from the address
    expect(page.url()).not.toContain('token');
    for (const tool of ['forecast', 'report', 'divide', 'book'])
      await page.getByRole('link', { name: tool }).first().waitFor();
    await page.goto(new URL('/traces?outcome=tool_error&tool=divide', url).href);
    await rowsOf(page).first().getByRole('link').click();
    await page.getByText('RangeError').first().waitFor();
    await eventually('client, HTTP and server in one picture', async () =>
      (await spansOf(page).count()) === 3 ? true : undefined,
    );
    await page.goto(new URL('/metrics/mcp.server.operation.duration', url).href);
    await page.getByText('All together').waitFor();
    await page.goto(new URL('/server', url).href);
    await page.getByText('2025-11-25, 2026-07-28').waitFor();
  });
});
