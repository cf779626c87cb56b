// A trace as one HTML file that shows itself, without a server: the page's code, its style and the data inside it.
import { createHash } from 'node:crypto';
import type { Store } from '../store/store.ts';
import type { TraceRecord } from '../store/trace-record.ts';
import type { SpanDetail } from './shapes.ts';
import { placesInOrder } from './summaries.ts';
import { detailOf, traceView } from './traces.ts';

/** What the page is made of. */
export interface PageCode {
  readonly script: string;
  readonly style: string;
}

const MAX_DETAILS = 20_000;

/** Writes the file. */
export function sharedTrace(store: Store, trace: TraceRecord, { script, style }: PageCode): string {
  const details: Record<string, SpanDetail> = {};
  for (const place of placesInOrder(store.spans, trace).slice(0, MAX_DETAILS)) {
    const detail = detailOf(place);
    details[detail.spanId] = detail;
  }
  const data = inScript(JSON.stringify({ trace: traceView(store, trace), details }));
  const code = script.replaceAll(/<\/(script)/gi, String.raw`<\/$1`).replaceAll('<!--', String.raw`<\!--`);
  const policy = [
    `default-src 'none'`,
    `script-src '${hashOf(code)}'`,
    `style-src '${hashOf(style)}'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Trace ${trace.id}</title>
<style>${style}</style>
</head>
<body>
<div id="app"></div>
<script type="application/json" id="shared-trace">${data}</script>
<script>${code}</script>
</body>
</html>
`;
}

// nothing that was received can end the element it stands in
function inScript(json: string): string {
  return json.replaceAll('<', String.raw`\u003c`).replaceAll('\u2028', String.raw`\u2028`);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
