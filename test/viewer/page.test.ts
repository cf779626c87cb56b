// The page in a real browser: every view on real telemetry, for everybody, at every width.
import { afterAll, beforeAll, describe, expect, vi } from 'vitest';
import type { TraceView } from '../../src/viewer/api/shapes.ts';
import { eventually } from '../harness/poll.ts';
import { verifies } from '../harness/verifies.ts';
import { withoutBrowser } from './browser.ts';
import { viewerClient } from './client.ts';
import { accessibilityProblems, tooWide } from './in-page.ts';
import { NARROW, openPages, query, spansOf, type OpenOptions, type OpenPages } from './open-pages.ts';
import { post, spansBody } from './otlp-bodies.ts';
import { rounds } from './sample-telemetry.ts';

// a browser on a busy machine takes its time
vi.setConfig({ testTimeout: 120_000 });

let on: OpenPages;
const open = (path: string, options?: OpenOptions) => on.open(path, options);

const VIEWS = (): readonly (readonly [path: string, shows: string])[] => [
  ['/', 'weather-api'],
  ['/traces', 'UpstreamError'],
  [`/traces/${on.failing}`, 'tools/call forecast'],
  [`/traces/${on.booked}`, 'agent turn'],
  ['/tools', 'geocode'],
  ['/tools/forecast', 'VALIDATION_ERROR'],
  ['/logs', 'tool_start'],
  ['/metrics', 'mcp.server.operation.duration'],
  ['/metrics/mcp.server.operation.duration', 'All together'],
  ['/metrics/toolspan.health.status', 'degraded'],
  ['/server', 'service.instance.id'],
  [`/compare?a=${on.booked}&b=${on.failing}`, 'only in A'],
];

describe.skipIf(withoutBrowser)('the page', () => {
  beforeAll(async () => {
    on = await openPages();
  });
  afterAll(() => on.close());

  verifies('page.views', async () => {
    for (const [path, shows] of VIEWS()) {
      const page = await open(path);
      await page.getByText(shows, { exact: false }).first().waitFor();
      expect(await page.title(), path).toMatch(/ · toolspan$/);
    }
  });

  verifies(
    'page.accessible',
    async () => {
      for (const dark of [false, true]) {
        const page = await open('/', { dark });
        for (const [path, shows] of [
          ...VIEWS(),
          [`/traces/${on.failing}?span=${await serverSpanOf(on.failing)}`, 'Stack'] as const,
        ]) {
          await page.goto(on.sample.viewer.endpoint + path);
          await page.getByText(shows, { exact: false }).first().waitFor();
          expect(await accessibilityProblems(page), `${path} ${dark ? 'dark' : 'light'}`).toEqual([]);
        }
      }
    },
    'in light and dark',
  );

  verifies('page.narrow', async () => {
    const page = await open('/', { size: NARROW });
    for (const [path, shows] of VIEWS()) {
      await page.goto(on.sample.viewer.endpoint + path);
      await page.getByText(shows, { exact: false }).first().waitFor({ state: 'attached' });
      expect(await tooWide(page), path).toEqual([]);
    }
  });

  verifies(
    'page.views',
    async () => {
      const page = await open(`/traces/${on.failing}`);
      await spansOf(page).first().waitFor();
      const bars = page.locator('.bar .attempt');
      expect(await bars.count()).toBe(3);
      expect(await page.locator('.bar .wait').count()).toBe(2);
      await spansOf(page).nth(1).click();
      const panel = page.getByRole('complementary');
      await panel.getByText('at fetchForecast (/srv/weather/src/upstream.ts:41:11)').waitFor();
      await panel.getByText('forecast failed: 503 from api.weather.example').waitFor();
      expect(await panel.getByRole('link', { name: 'mcp.method.name' }).getAttribute('href')).toMatch(
        /^https:\/\/github\.com\/open-telemetry\/.*mcp\.md$/,
      );
      await page.getByPlaceholder('Find in this trace').fill('city=Paris');
      await page.getByText('1 span', { exact: true }).waitFor();
      await page.getByRole('button', { name: 'Critical path' }).click();
      await page.goto(`${on.sample.viewer.endpoint}/traces/${on.booked}`);
      await page.locator('.round').waitFor();
      await page.goto(`${on.sample.viewer.endpoint}/compare?a=${on.failing}`);
      await page.locator('.choice button').first().click();
      await page.getByText('Span by span').waitFor();
      expect(query(page).get('b')).not.toBeNull();
      await page.goto(`${on.sample.viewer.endpoint}/tools/forecast`);
      await page.locator('.heat.bad').first().click();
      await eventually('the durations of the cell', () => (query(page).has('max_duration_ms') ? true : undefined));
    },
    'a trace with its attempts, error, logs and rounds; comparing; a cell of the heatmap',
  );

  verifies(
    'page.views',
    async () => {
      const client = await viewerClient();
      await post(client.viewer.endpoint, 'traces', spansBody(rounds(Date.now() - 2_000).spans));
      const page = await open('/', { client });
      await page.getByText('book').first().waitFor();
      await page.goto(`${client.viewer.endpoint}/nowhere`);
      await page.getByText('There is no such page.').waitFor();
      await page.goto(`${client.viewer.endpoint}/traces/${'0'.repeat(32)}`);
      await page.getByText('This trace is not here.').waitFor();
    },
    'and what is not there is said',
  );
  async function serverSpanOf(id: string): Promise<string> {
    const { spans } = await on.sample.get<TraceView>(`/api/traces/${id}`);
    return spans.find(({ kind }) => kind === 2)?.spanId ?? '';
  }
});
