// What must not happen in the page, whatever was received; and a trace that is taken elsewhere as a file.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from 'vitest';
import { verifies } from '../harness/verifies.ts';
import { withoutBrowser } from './browser.ts';
import { viewerClient } from './client.ts';
import { accessibilityProblems, planted } from './in-page.ts';
import { openPages, spansOf, WIDE, type OpenOptions, type OpenPages } from './open-pages.ts';
import { logsBody, numbersBody, post, spanId, spansBody, traceId, type SampleSpan } from './otlp-bodies.ts';

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: 120_000 });

let on: OpenPages;
const open = (path: string, options?: OpenOptions) => on.open(path, options);

describe.skipIf(withoutBrowser)('the page', () => {
  beforeAll(async () => {
    on = await openPages();
  });
  afterAll(() => on.close());

  verifies('page.hostile', async () => {
    const client = await viewerClient();
    const evil = `"><img src=x onerror="window.owned=1"><script>window.owned=1</script></script><!--<svg onload=window.owned=1>{{1}}\u2028javascript:alert(1)`;
    const now = Date.now();
    const hostile: SampleSpan = {
      traceId: traceId(),
      spanId: spanId(),
      name: evil,
      kind: 2,
      startMs: now - 1_000,
      durationMs: 30,
      attributes: {
        [evil]: evil,
        __proto__: evil,
        constructor: evil,
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': evil,
        'toolspan.outcome': evil,
        'toolspan.error.code': evil,
        'mcp.session.id': evil,
        'mcp.protocol.version': evil,
        link: 'javascript:window.owned=1',
        data: 'data:text/html,<script>window.owned=1</script>',
      },
      events: [
        { name: evil, atMs: now, attributes: { [evil]: evil } },
        {
          name: 'exception',
          atMs: now,
          attributes: { 'exception.type': evil, 'exception.message': evil, 'exception.stacktrace': evil },
        },
        {
          name: 'toolspan.retry',
          atMs: now,
          attributes: { 'toolspan.retry.delay_ms': evil, 'toolspan.policy.name': evil },
        },
        {
          name: 'toolspan.circuit_breaker.transition',
          atMs: now,
          attributes: { 'toolspan.policy.name': evil, 'toolspan.circuit_breaker.to': evil },
        },
      ],
      links: [{ traceId: traceId(), spanId: spanId() }],
      error: evil,
    };
    const { endpoint } = client.viewer;
    await post(endpoint, 'traces', spansBody([hostile], evil));
    const log = {
      timeMs: now,
      severity: 17,
      body: evil,
      eventName: evil,
      attributes: { [evil]: evil },
      traceId: hostile.traceId,
      spanId: hostile.spanId,
    };
    await post(endpoint, 'logs', logsBody([log], evil));
    for (const name of [evil, 'toolspan.health.status', 'toolspan.circuit_breaker.state']) {
      await post(
        endpoint,
        'metrics',
        numbersBody(name, 'gauge', [
          { timeMs: now - 2_000, value: 1, attributes: { [evil]: evil, status: evil, state: evil } },
        ]),
      );
    }
    const page = await open('/', { client });
    const paths = [
      '/',
      '/traces',
      `/traces/${hostile.traceId}?span=${hostile.spanId}`,
      '/tools',
      `/tools/${encodeURIComponent(evil)}`,
      '/logs',
      '/metrics',
      `/metrics/${encodeURIComponent(evil)}`,
      '/server',
      `/compare?a=${hostile.traceId}&b=${hostile.traceId}`,
      `/traces?text=${encodeURIComponent(evil)}&tool=${encodeURIComponent(evil)}&attribute=${encodeURIComponent(`x=${evil}`)}`,
    ];
    const clean = async (what: string) => {
      expect(await planted(page), what).toEqual({ owned: false, elements: 0, links: [] });
    };
    for (const path of paths) {
      await page.goto(endpoint + path);
      await page
        .getByText('onerror')
        .or(page.getByText('No trace is like that.'))
        .first()
        .waitFor({ state: 'attached' });
      await clean(path);
    }
    // the file of a shared trace is a page with the same text in its source
    const file = join(folder(), 'shared.html');
    writeFileSync(file, await (await client.fetch(`/api/traces/${hostile.traceId}/share`)).text());
    await page.goto(`file://${file}`);
    await spansOf(page).first().click();
    await page.getByRole('complementary').getByText('onerror').first().waitFor();
    await clean('the shared file');
  });

  verifies(
    'page.share',
    async () => {
      const page = await open(`/traces/${on.failing}`);
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'Share' }).click(),
      ]);
      const file = join(folder(), 'shared.html');
      await download.saveAs(file);
      const context = await on.browser.newContext({ viewport: WIDE, offline: true });
      onTestFinished(() => context.close());
      const alone = await context.newPage();
      const asked: string[] = [];
      alone.on('request', (request) => asked.push(request.url()));
      const errors: string[] = [];
      alone.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      await alone.goto(`file://${file}`);
      await spansOf(alone).nth(1).click();
      await alone
        .getByRole('complementary')
        .getByText('at fetchForecast (/srv/weather/src/upstream.ts:41:11)')
        .waitFor();
      await alone.getByPlaceholder('Find in this trace').fill('city=paris');
      await alone.getByText('1 span', { exact: true }).waitFor();
      expect(asked).toEqual([`file://${file}`]);
      expect(errors).toEqual([]);
      expect(await accessibilityProblems(alone)).toEqual([]);
    },
    'in a browser that is offline',
  );

  function folder(): string {
    const made = mkdtempSync(join(tmpdir(), 'toolspan-'));
    onTestFinished(() => rmSync(made, { recursive: true }));
    return made;
  }
});
