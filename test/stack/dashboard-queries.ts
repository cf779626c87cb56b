// The queries of the committed dashboards and of the rules.
import { globSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ROOT } from './root.ts';

interface Target {
  readonly refId: string;
  readonly datasource: { readonly uid: string; readonly type: string };
  readonly expr?: string;
  readonly queryType?: string;
  readonly service?: string;
  readonly operation?: string;
  readonly tags?: string;
  readonly minDuration?: string;
  readonly limit?: number;
}

/** One query of one panel. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly target: Target;
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly { readonly title: string; readonly targets?: readonly Target[] }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** The committed dashboards, by file. */
export function committedDashboards(): Map<string, Dashboard> {
  const files = globSync('grafana/dashboards/*.json', { cwd: ROOT }).toSorted();
  return new Map(files.map((file) => [file, JSON.parse(readFileSync(ROOT + file, 'utf8')) as Dashboard]));
}

export function panelQueries(): PanelQuery[] {
  return [...committedDashboards().values()].flatMap(({ title, panels }) =>
    panels.flatMap((panel) =>
      (panel.targets ?? []).map((target) => ({ dashboard: title, panel: panel.title, target })),
    ),
  );
}

/** What Grafana puts in place of its macros and variables. */
export function expanded(text: string, variables: Readonly<Record<string, string>>): string {
  const done = Object.entries(variables).reduce(
    (result, [name, value]) => result.replaceAll(new RegExp(`\\$\\{?${name}\\b\\}?`, 'g'), value),
    text,
  );
  const [left] = /\$\{?[a-z_]\w*/i.exec(done) ?? [];
  if (left !== undefined) throw new Error(`nothing is known to stand for ${left} in ${text}`);
  return done;
}

/** A rule of Prometheus. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function rules(): Rule[] {
  const { groups } = parse(readFileSync(`${ROOT}prometheus/rules/toolspan.yml`, 'utf8')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap((group) => group.rules);
}
