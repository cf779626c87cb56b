// The pieces that dashboards are made of: one way to draw each kind of thing, so that all look alike.
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
  DashboardBuilder,
  DashboardLinkBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  TooltipDisplayMode,
  SortOrder,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as HeatmapBuilder } from '@grafana/grafana-foundation-sdk/heatmap';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

const PROMETHEUS = { type: 'prometheus', uid: 'prometheus' };
const JAEGER = { type: 'jaeger', uid: 'jaeger' };
const WIDTH = 24;

export const GREEN = 'green';
export const YELLOW = 'yellow';
export const ORANGE = 'orange';
export const RED = 'red';

/** One query of a panel: what is asked, and how its series are called. */
export type Query = readonly [expr: string, legend: string];

/** How a panel is drawn; all of it may be left out. */
export interface PanelLook {
  /** Width in columns of 24. @default 12 */
  readonly width?: number;
  /** Height in rows. @default 8 */
  readonly height?: number;
  /** Unit as Grafana names it. @default short */
  readonly unit?: string;
  /** Value from which it is yellow, and from which it is red; the second may be left out. */
  readonly warnAt?: readonly [yellow: number, red?: number];
  readonly max?: number;
  readonly description?: string;
  /** Stack the series of a time series. */
  readonly stacked?: boolean;
  /** Ask for exemplars: the dots that lead to a trace. */
  readonly exemplars?: boolean;
  readonly links?: readonly DashboardLinkBuilder[];
}

/** A link of a series or a value. */
export function link(title: string, url: string): DashboardLinkBuilder {
  return new DashboardLinkBuilder(title).url(url).targetBlank(url.startsWith('http') || url.startsWith('${jaeger}'));
}

/** The link from a series with a tool to that tool's own dashboard. */
export const TO_TOOL: DashboardLinkBuilder = link(
  'This tool in depth',
  '/d/toolspan-tool?var-service=${__field.labels.service_name}&var-tool=${__field.labels.gen_ai_tool_name}&${__url_time_range}',
);

/** The link from a series with a tool to its failed calls in Jaeger. */
export const TO_TRACES: DashboardLinkBuilder = link(
  'Its failed calls in Jaeger',
  '${jaeger}/search?service=${__field.labels.service_name}&operation=tools%2Fcall%20${__field.labels.gen_ai_tool_name}&tags=%7B%22error%22%3A%22true%22%7D',
);

/** Lines over time. */
export function lines(title: string, queries: readonly Query[], look: PanelLook = {}): TimeseriesBuilder {
  const { unit = 'short', warnAt, max, stacked = false, exemplars = false, links = [] } = look;
  const panel = sized(new TimeseriesBuilder(), title, look)
    .datasource(PROMETHEUS)
    .targets(queries.map(([expr, legend], index) => promQuery(expr, legend, index).exemplar(exemplars)))
    .unit(unit)
    .min(0)
    .fillOpacity(stacked ? 30 : 8)
    .lineWidth(1)
    .showPoints(VisibilityMode.Never)
    .legend(legendBelow())
    // oxlint-disable-next-line unicorn/no-array-sort -- of a tooltip, not of an array
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .dataLinks([...links]);
  if (max !== undefined) panel.max(max);
  if (warnAt !== undefined) panel.thresholds(thresholds(warnAt));
  return panel;
}

/** One number, coloured by its thresholds. */
export function stat(title: string, query: Query, look: PanelLook & { readonly mappings?: ValueMapping[] } = {}) {
  const { unit = 'short', warnAt, mappings = [], links = [] } = look;
  return sized(new StatBuilder(), title, { width: 4, height: 4, ...look })
    .datasource(PROMETHEUS)
    .targets([promQuery(query[0], query[1], 0)])
    .unit(unit)
    .mappings(mappings)
    .noValue('–')
    .thresholds(thresholds(warnAt ?? []))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .colorMode(warnAt === undefined && mappings.length === 0 ? BigValueColorMode.None : BigValueColorMode.Background)
    .graphMode(BigValueGraphMode.Area)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']).fields('').values(false))
    .dataLinks([...links]);
}

/** States over time, one lane a series; numbers stand for states. */
export function states(
  title: string,
  query: Query,
  named: readonly (readonly [text: string, color: string])[],
  look: PanelLook = {},
): StateTimelineBuilder {
  return sized(new StateTimelineBuilder(), title, look)
    .datasource(PROMETHEUS)
    .targets([promQuery(query[0], query[1], 0)])
    .mappings(stateMappings(named))
    .thresholds(thresholds([]))
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .mergeValues(true)
    .rowHeight(0.8)
    .fillOpacity(75)
    .legend(legendBelow());
}

function legendBelow(): VizLegendOptionsBuilder {
  return new VizLegendOptionsBuilder()
    .displayMode(LegendDisplayMode.List)
    .placement(LegendPlacement.Bottom)
    .showLegend(true)
    .calcs([]);
}

/** Numbers that stand for states, counted from 0. */
export function stateMappings(named: readonly (readonly [text: string, color: string])[]): ValueMapping[] {
  const options = Object.fromEntries(named.map(([text, color], index) => [`${index}`, { text, color, index }]));
  return [{ type: 'value', options } as ValueMapping];
}

/** A table of the latest values, a row for each set of labels; columns are renamed by `columns`, others left out. */
export function table(
  title: string,
  queries: readonly Query[],
  columns: Readonly<Record<string, string>>,
  look: PanelLook = {},
): TableBuilder {
  return sized(new TableBuilder(), title, look)
    .datasource(PROMETHEUS)
    .targets(
      queries.map(([expr, legend], index) => promQuery(expr, legend, index).instant().format(PromQueryFormat.Table)),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        renameByName: columns,
        indexByName: Object.fromEntries(Object.keys(columns).map((column, index) => [column, index])),
      },
    })
    .dataLinks([...(look.links ?? [])]);
}

/** How durations are spread over time; from the buckets of a histogram. */
export function heatmap(title: string, expr: string, look: PanelLook = {}): HeatmapBuilder {
  return sized(new HeatmapBuilder(), title, look)
    .datasource(PROMETHEUS)
    .targets([promQuery(expr, '{{le}}', 0).format(PromQueryFormat.Heatmap)])
    .unit(look.unit ?? 's');
}

/** What Jaeger is asked for. */
export interface TraceSearch {
  readonly service: string;
  readonly operation: string;
  /** In the form `key=value`. */
  readonly tags?: string;
  readonly minDuration?: string;
}

/** The latest traces that Jaeger finds, each a link. */
export function traces(title: string, search: TraceSearch, look: PanelLook = {}): TableBuilder {
  const query = { refId: 'A', datasource: JAEGER, queryType: 'search', limit: 20, ...search };
  return sized(new TableBuilder(), title, look)
    .datasource(JAEGER)
    .targets([{ build: () => query as unknown as Dataquery } satisfies Builder<Dataquery>]);
}

/** A heading, with its panels below. */
export function row(title: string): RowBuilder {
  return new RowBuilder(title);
}

/** A dashboard, before its panels. */
export function dashboard(uid: string, title: string, description: string): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['toolspan'])
    .readonly()
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .tooltip(1)
    .timezone('browser')
    .links([
      new DashboardLinkBuilder('toolspan')
        .type('dashboards' as never)
        .tags(['toolspan'])
        .asDropdown(false)
        .keepTime(true)
        .includeVars(true),
    ]);
}

/** A variable with the values of a label. */
export function labelVariable(
  name: string,
  label: string,
  from: string,
  { many }: { readonly many: boolean },
): QueryVariableBuilder {
  const query = `label_values(${from}, ${label})`;
  const variable = new QueryVariableBuilder(name)
    .datasource(PROMETHEUS)
    .query({ qryType: 1, query, refId: name })
    .definition(query)
    .refresh(2)
    .sort(1)
    .multi(many)
    .includeAll(many);
  return many ? variable.allValue('.*').current({ text: ['All'], value: ['$__all'] }) : variable;
}

/** Where Jaeger's own pages are, for links. */
export function jaegerVariable(): TextBoxVariableBuilder {
  return new TextBoxVariableBuilder('jaeger').label('Jaeger').defaultValue('http://localhost:16686');
}

interface Sizable {
  title(title: string): this;
  description(text: string): this;
  span(columns: number): this;
  height(rows: number): this;
}

function sized<P extends Sizable>(
  panel: P,
  title: string,
  { width = WIDTH / 2, height = 8, description }: PanelLook,
): P {
  panel.title(title).span(width).height(height);
  return description === undefined ? panel : panel.description(description);
}

function promQuery(expr: string, legend: string, index: number): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(PROMETHEUS)
    .refId(String.fromCodePoint('A'.codePointAt(0)! + index))
    .expr(expr)
    .legendFormat(legend);
}

function thresholds([yellow, red]: readonly [yellow?: number, red?: number]): ThresholdsConfigBuilder {
  const steps = [
    { value: null as unknown as number, color: GREEN },
    ...(yellow === undefined ? [] : [{ value: yellow, color: YELLOW }]),
    ...(red === undefined ? [] : [{ value: red, color: RED }]),
  ];
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps);
}
