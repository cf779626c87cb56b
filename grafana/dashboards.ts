// Writes the dashboards as the JSON that Grafana reads: node grafana/dashboards.ts. The JSON is committed; a test compares.
import { mkdirSync, writeFileSync } from 'node:fs';
import { host } from './host.ts';
import { overview } from './overview.ts';
import { pipeline } from './pipeline.ts';
import { tool } from './tool.ts';

const FOLDER = new URL('dashboards/', import.meta.url);

/** Each dashboard as JSON, by the name of its file. */
export function dashboards(): Readonly<Record<string, string>> {
  const built = { overview: overview(), tool: tool(), host: host(), pipeline: pipeline() };
  return Object.fromEntries(
    Object.entries(built).map(([name, builder]) => {
      const { panels = [], links = [], ...rest } = builder.build();
      const dashboard = {
        ...rest,
        // the builder numbers no panel, and hides the links to the other dashboards in a menu
        links: links.map((link) => without('placement', link)),
        panels: panels.map((panel, index) => Object.assign(panel, { id: index + 1 })),
      };
      return [`${name}.json`, `${JSON.stringify(dashboard, null, 2)}\n`];
    }),
  );
}

function without(property: string, object: object): object {
  return Object.fromEntries(Object.entries(object).filter(([name]) => name !== property));
}

if (import.meta.main) {
  mkdirSync(FOLDER, { recursive: true });
  for (const [file, text] of Object.entries(dashboards())) writeFileSync(new URL(file, FOLDER), text);
}
