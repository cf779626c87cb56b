// `npm run sim:outage`: plays an outage with each kind of client, prints the table, and draws docs/outage.svg.
import { mkdirSync, writeFileSync } from 'node:fs';
import { play, VARIANTS, type Course, type Scene, type Variant } from './outage-model.ts';

const SCENE: Scene = { clients: 1_000, outage: [60, 120], until: 240, seed: 1 };
const COLOURS: Readonly<Record<Variant, string>> = {
  'naive retry': '#d1495b',
  'no retry': '#8d99ae',
  'retry with budget': '#edae49',
  'retry and breaker': '#00798c',
};
const WIDTH = 860;
const HEIGHT = 340;
const PLOT = { left: 64, right: 20, top: 44, bottom: 44 };

const courses: Course[] = [];
for (const variant of VARIANTS) courses.push(await play(variant, SCENE));

console.log(
  `${SCENE.clients} clients, 1 call a second each; the dependency fails from second ${SCENE.outage[0]} to ${SCENE.outage[1]}.\n`,
);
console.log('| client | requests a call during the outage | most requests in a second | all well after |');
console.log('|---|---|---|---|');
for (const { variant, amplification, requests, recoveredAfter } of courses) {
  console.log(
    `| ${variant} | ${amplification.toFixed(2)} | ${Math.max(...requests.slice(1))} | ${recoveredAfter.toFixed(1)} s |`,
  );
}
const guarded = courses.find(({ variant }) => variant === 'retry and breaker');
if (guarded !== undefined) {
  console.log(
    `\nBreakers were to stay open for ${guarded.openInterval.toFixed(1)} s at most when the outage ended; ${guarded.late} clients were well later than their own.`,
  );
}

const docs = new URL('../docs/', import.meta.url);
mkdirSync(docs, { recursive: true });
writeFileSync(new URL('outage.svg', docs), draw(courses));

function draw(all: readonly Course[]): string {
  const most = Math.ceil(Math.max(...all.flatMap(({ requests }) => requests)) / 1_000) * 1_000;
  const x = (second: number) => PLOT.left + (second / SCENE.until) * (WIDTH - PLOT.left - PLOT.right);
  const y = (count: number) => HEIGHT - PLOT.bottom - (count / most) * (HEIGHT - PLOT.top - PLOT.bottom);
  const [from, to] = SCENE.outage;
  const grid = Array.from({ length: most / 1_000 + 1 }, (_, thousand) => thousand * 1_000).map(
    (count) =>
      `<line x1="${PLOT.left}" x2="${WIDTH - PLOT.right}" y1="${y(count).toFixed(1)}" y2="${y(count).toFixed(1)}" stroke="#8884"/><text x="${PLOT.left - 8}" y="${(y(count) + 4).toFixed(1)}" text-anchor="end">${count}</text>`,
  );
  const seconds = [0, 60, 120, 180, 240].map(
    (second) => `<text x="${x(second)}" y="${HEIGHT - PLOT.bottom + 18}" text-anchor="middle">${second} s</text>`,
  );
  const lines = all.map(({ variant, requests }) => {
    const points = requests.map((count, second) => `${x(second + 0.5).toFixed(1)},${y(count).toFixed(1)}`).join(' ');
    return `<polyline points="${points}" fill="none" stroke="${COLOURS[variant]}" stroke-width="2"/>`;
  });
  const legend = all.map(({ variant, amplification }, index) => {
    const left = PLOT.left + index * 196;
    return `<rect x="${left}" y="14" width="12" height="12" fill="${COLOURS[variant]}"/><text x="${left + 18}" y="24">${variant}: ${amplification.toFixed(2)} ×</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#777" role="img" aria-label="Requests a second that reach a dependency before, during and after an outage of a minute, for four kinds of clients">`,
    `<rect x="${x(from)}" y="${PLOT.top}" width="${x(to) - x(from)}" height="${HEIGHT - PLOT.top - PLOT.bottom}" fill="#888" opacity="0.12"/>`,
    `<text x="${x((from + to) / 2)}" y="${PLOT.top + 14}" text-anchor="middle">outage</text>`,
    ...grid,
    ...seconds,
    ...lines,
    ...legend,
    `<text x="${PLOT.left}" y="${HEIGHT - 8}">requests a second that reach the dependency, 1,000 calls a second</text>`,
    '</svg>',
    '',
  ].join('\n');
}
