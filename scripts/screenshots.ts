// `npm run screenshots`: pictures of the viewer for the README and the docs, from the sample that the tests use.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startViewer } from '../src/viewer/viewer.ts';
import type { TraceList, TraceView } from '../src/viewer/api/shapes.ts';
import { openBrowser } from '../test/viewer/browser.ts';
import { sendSample } from '../test/viewer/sample-telemetry.ts';

const FOLDER = fileURLToPath(new URL('../docs/images/', import.meta.url));
const SIZE = { width: 1280, height: 800 };

const viewer = await startViewer({ port: 0, askForToken: false });
const browser = await openBrowser();
try {
  await sendSample(viewer.endpoint);
  const get = async <T>(path: string) => (await (await fetch(viewer.endpoint + path)).json()) as T;
  const { traces } = await get<TraceList>('/api/traces?tool=forecast&outcome=tool_error&sort=slowest');
  const failing = traces.find(({ spans }) => spans === 3)?.traceId ?? '';
  const { spans } = await get<TraceView>(`/api/traces/${failing}`);
  const server = spans.find(({ kind }) => kind === 2)?.spanId ?? '';
  const views: Readonly<Record<string, string>> = {
    overview: '/',
    traces: '/traces',
    trace: `/traces/${failing}?span=${server}`,
    tool: '/tools/forecast',
  };
  mkdirSync(FOLDER, { recursive: true });
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ viewport: SIZE, colorScheme, reducedMotion: 'reduce' });
    const page = await context.newPage();
    for (const [name, path] of Object.entries(views)) {
      await page.goto(viewer.endpoint + path);
      await page.locator('.panel, .rows, .waterfall').first().waitFor();
      // what is still on its way, as the details of a span
      await page.waitForTimeout(600);
      await page.screenshot({ path: `${FOLDER}viewer-${name}-${colorScheme}.png` });
      console.log(`docs/images/viewer-${name}-${colorScheme}.png`);
    }
    await context.close();
  }
} finally {
  await browser.close();
  await viewer.close();
}
