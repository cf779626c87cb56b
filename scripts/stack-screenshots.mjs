// Pictures of the running stack for the documents: npm run screenshots:stack [folder]. Needs the stack and a Chromium
// (CHROMIUM, or one on PATH). Nothing is drawn that is not there: a page that does not answer ends it.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';

const folder = resolve(process.argv[2] ?? 'docs/images');
const settings = { ...parseEnv(readFileSync(new URL('../.env', import.meta.url), 'utf8')), ...process.env };
const grafana = `http://localhost:${settings.GRAFANA_PORT}`;
const PAGES = {
  overview: `${grafana}/d/toolspan-overview?kiosk&from=now-15m&to=now`,
  tool: `${grafana}/d/toolspan-tool?kiosk&from=now-15m&to=now`,
  host: `${grafana}/d/toolspan-host?kiosk&from=now-15m&to=now`,
  pipeline: `${grafana}/d/toolspan-pipeline?kiosk&from=now-15m&to=now`,
  jaeger: `http://localhost:${settings.JAEGER_PORT}/search?service=toolspan-demo`,
  alerts: `http://localhost:${settings.PROMETHEUS_PORT}/alerts`,
};

const names = ['chromium', 'chromium-browser', 'google-chrome', 'chrome'];
const browser = settings.CHROMIUM ?? names.find((name) => spawnSync(name, ['--version']).status === 0);
if (browser === undefined) fail(`no Chromium is there; set CHROMIUM, or install one of: ${names.join(', ')}`);

mkdirSync(folder, { recursive: true });
for (const [name, url] of Object.entries(PAGES)) {
  const response = await fetch(url).catch((error) =>
    fail(`${url} does not answer (${error.cause?.code}); start the stack first`),
  );
  if (!response.ok) fail(`${url} answers ${response.status}`);
  const file = `${folder}/${name}.png`;
  const options = ['--headless=new', '--hide-scrollbars', '--window-size=1600,1900', '--virtual-time-budget=20000'];
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const { status, stderr } = spawnSync(browser, [...options, ...sandbox, `--screenshot=${file}`, url], {
    encoding: 'utf8',
  });
  if (status !== 0 || !existsSync(file)) fail(`${browser} made no picture of ${url}: ${stderr.slice(-300)}`);
  process.stdout.write(`${file}\n`);
}

function fail(message) {
  process.stderr.write(`screenshots: ${message}\n`);
  process.exit(1);
}
