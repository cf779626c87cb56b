// The files of the stack, held against each other and against the documents; what needs the programs is in test/stack.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect } from 'vitest';
import { parse } from 'yaml';
import { dashboards } from '../../grafana/dashboards.ts';
import { verifies } from '../harness/verifies.ts';
import { committedDashboards, panelQueries, rules } from '../stack/dashboard-queries.ts';
import { askedBy, documentedMetrics, documentedNames, prometheusName, RUNTIME } from '../stack/names.ts';
import { lint } from './compose-lint.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const read = (file: string) => readFileSync(`${ROOT}${file}`, 'utf8');

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

interface Service {
  readonly image: string;
  readonly build?: { readonly args: Record<string, string> };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly restart?: string;
  readonly cap_drop?: readonly string[];
  readonly deploy?: { readonly resources: { readonly limits: { readonly memory: string } } };
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as Compose;
const settings = parseEnv(read('.env'));
const services = Object.entries(compose.services);

describe('the compose file', () => {
  verifies('stack.compose-file', () => {
    for (const [name, service] of services) {
      expect(service, name).toMatchObject({ restart: 'unless-stopped', cap_drop: ['ALL'] });
      expect(service.healthcheck, `health check of ${name}`).toBeDefined();
      expect(service.deploy?.resources.limits.memory, `memory limit of ${name}`).toMatch(/^\d+[MG]$/);
      for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:\$\{[A-Z_]+\}:\d+$/);
      for (const volume of service.volumes ?? []) {
        const [source = ''] = volume.split(':');
        if (source.startsWith('.')) expect(existsSync(`${ROOT}${source}`), `${name}: ${source}`).toBe(true);
        else expect(Object.keys(compose.volumes), name).toContain(source);
        if (source.startsWith('.')) expect(volume, name).toMatch(/:ro$/);
      }
    }
    const images = Object.entries(settings).filter(([name]) => name.endsWith('_IMAGE'));
    expect(images.length).toBeGreaterThan(6);
    for (const [name, image] of images) expect(image, name).toMatch(/^[\w./-]+:v?\d+\.\d+(\.\d+)?(-[\w.-]+)?$/);
  });

  verifies(
    'stack.compose-file',
    () => {
      const used = new Set(Array.from(read('docker-compose.yml').matchAll(/\$\{([A-Z_]+)/g), ([, name = '']) => name));
      expect([...used].toSorted()).toEqual(Object.keys(settings).toSorted());
    },
    'every variable has its line in .env, and every line is used',
  );

  verifies('stack.compose-file', () => expect(lint(`${ROOT}docker-compose.yml`)).toEqual([]), 'a linter finds nothing');

  verifies(
    'stack.compose-file',
    () => {
      const main = read('test/stack/native/otelcol/main.go');
      const [, collector = ''] = /const version = "([^"]+)"/.exec(main) ?? [];
      const [, prometheus = ''] = /version\.Version=(\d[\d.]+)/.exec(read('test/stack/native/build.sh')) ?? [];
      expect(settings['OTELCOL_IMAGE']).toMatch(new RegExp(`:${collector}$`));
      expect(settings['PROMETHEUS_IMAGE']).toMatch(new RegExp(`:v${prometheus}$`));
      for (const file of globSync('**/Dockerfile', { cwd: ROOT, exclude: ['node_modules/**', '.cache/**'] })) {
        for (const [, name = '', image] of read(file).matchAll(/^ARG ([A-Z]+_IMAGE)=(.+)$/gm)) {
          expect(image, `${name} in ${file}`).toBe(settings[name]);
        }
      }
    },
    'the versions that are tested are those that are shipped',
  );
});

describe('dashboards', () => {
  verifies('stack.generated', () => {
    const files = globSync('*', { cwd: `${ROOT}grafana/dashboards` });
    const committed = Object.fromEntries(files.map((file) => [file, read(`grafana/dashboards/${file}`)] as const));
    expect(committed).toEqual(dashboards());
  });

  verifies(
    'stack.names',
    () => {
      const uids = new Set(
        Array.from(read('grafana/provisioning/datasources/toolspan.yaml').matchAll(/\buid: (\w+)/g), ([, uid]) => uid),
      );
      expect(uids.size).toBe(3);
      for (const { dashboard, panel, target } of panelQueries()) {
        expect([...uids], `${dashboard}: ${panel}`).toContain(target.datasource.uid);
      }
      for (const [file, dashboard] of committedDashboards()) {
        expect(dashboard, file).toMatchObject({ schemaVersion: 42 });
      }
    },
    'data sources that are there',
  );
});

describe('names', () => {
  const metrics = [...documentedMetrics(), ...RUNTIME];
  const known = new Set([
    ...metrics.flatMap((metric) => {
      const name = prometheusName(metric);
      if (metric.kind !== 'histogram') return [name];
      const base = name.replace(/_count$/, '');
      return [`${base}_count`, `${base}_sum`, `${base}_bucket`];
    }),
    ...rules().flatMap(({ record }) => (record === undefined ? [] : [record])),
  ]);
  // of the collector, Jaeger, and Prometheus itself; that they are there is seen by asking them (test/stack)
  const THEIRS =
    /^(otelcol_|traces_span_metrics_|prometheus_|process_(resident_memory_bytes|cpu_seconds_total)$|up$|ALERTS$)/;
  const THEIR_LABELS =
    /^(le|exporter|instance|job|transport|data_type|alertstate|span_name|span_kind|status_code|service_name|service_instance_id|cpu_mode|v8js_gc_type)$/;
  const labels = new Set([...documentedNames()].map((name) => name.replaceAll('.', '_')));
  labels
    .add('network_transport')
    .add('system_memory_state')
    .add('system_filesystem_mountpoint')
    .add('system_filesystem_state');

  const expressions = [
    ...panelQueries().flatMap(({ dashboard, panel, target }) =>
      target.expr === undefined ? [] : [{ where: `${dashboard}: ${panel}`, expr: target.expr }],
    ),
    ...rules().map(({ alert, record, expr }) => ({ where: alert ?? record ?? '', expr })),
  ];

  verifies('stack.names', () => {
    expect(expressions.length).toBeGreaterThan(60);
    for (const { where, expr } of expressions) {
      const asked = askedBy(expr);
      expect(
        asked.metrics.filter((name) => !known.has(name) && !THEIRS.test(name)),
        `metrics of ${where}`,
      ).toEqual([]);
      expect(
        asked.labels.filter((name) => !labels.has(name) && !THEIR_LABELS.test(name)),
        `labels of ${where}`,
      ).toEqual([]);
    }
  });

  verifies(
    'stack.names',
    () => {
      const unused = documentedMetrics().filter(
        ({ name }) =>
          name.startsWith('toolspan.') && !expressions.some(({ expr }) => expr.includes(name.replaceAll('.', '_'))),
      );
      expect(unused).toEqual([]);
    },
    'every metric of our own is on a dashboard',
  );

  verifies(
    'stack.names',
    () => {
      const config = ['config.yaml', 'sampling.yaml'].map((file) => read(`otel-collector/${file}`)).join('\n');
      const used = Array.from(config.matchAll(/"(toolspan\.[a-z_.]+)"/g), ([, name = '']) => name);
      expect(used.length).toBeGreaterThan(4);
      expect(used.filter((name) => !documentedNames().has(name))).toEqual([]);
    },
    'in the collector too',
  );

  verifies(
    'stack.names',
    () => {
      expect(
        askedBy(
          'sum by (a, b) (rate(x_total{c="d\\"e", f!~"g"}[5m] offset 1m)) / on () group_left scalar(m:n) or vector(0)',
        ),
      ).toEqual({
        metrics: ['x_total', 'm:n'],
        labels: ['c', 'f', 'a', 'b'],
      });
    },
    'and the test can read an expression',
  );
});

describe('alerts', () => {
  const alerts = rules().flatMap((rule) => (rule.alert === undefined ? [] : [rule.alert]));
  const runbooks = read('docs/alerts.md');

  verifies(
    'stack.rules',
    () => {
      expect(alerts.length).toBeGreaterThan(9);
      expect(Array.from(runbooks.matchAll(/^## (\w+)$/gm), ([, name]) => name)).toEqual(alerts);
      for (const { alert, annotations = {} } of rules()) {
        if (alert === undefined) continue;
        expect(annotations['runbook'], alert).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
        expect(annotations['summary'], alert).toBeDefined();
      }
    },
    'each has its runbook',
  );

  verifies(
    'stack.rules',
    () => {
      const { tests } = parse(read('prometheus/tests/toolspan_test.yml')) as {
        tests: { alert_rule_test: { alertname: string; eval_time: string; exp_alerts: object[] }[] }[];
      };
      // within one test: quiet, then firing, then quiet again
      const seen = (alert: string) =>
        tests.some(({ alert_rule_test: steps }) => {
          const course = steps
            .filter(({ alertname }) => alertname === alert)
            .map(({ exp_alerts: { length } }) => length > 0);
          return course.includes(true) && course.lastIndexOf(false) > course.indexOf(true);
        });
      expect(alerts.filter((alert) => !seen(alert))).toEqual([]);
    },
    'each fires and goes quiet in a unit test',
  );
});

describe('the package', () => {
  verifies('stack.shipped', () => {
    const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const packed = JSON.parse(stdout) as
      | { files: { path: string }[] }[]
      | Record<string, { files: { path: string }[] }>;
    const files = new Set(Object.values(packed).flatMap((entry) => entry.files.map(({ path }) => path)));
    const needed = [
      'docker-compose.yml',
      '.env',
      'Dockerfile',
      '.dockerignore',
      'otel-collector/Dockerfile',
      'prometheus/prometheus.yml',
      ...globSync('{otel-collector,jaeger,loki,grafana/provisioning,prometheus/rules}/**/*.*', { cwd: ROOT }),
      ...globSync('grafana/dashboards/*.json', { cwd: ROOT }),
    ];
    expect(needed.length).toBeGreaterThan(15);
    expect(
      needed.filter((file) => !files.has(file)),
      stderr,
    ).toEqual([]);
    expect([...files].filter((file) => /^(grafana\/[^/]+\.ts|prometheus\/tests|test)/.test(file))).toEqual([]);
  });
});
