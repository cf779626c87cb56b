// A stack of one test file: the shipped configuration on ports and folders of its own.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../harness/free-ports.ts';
import { Jaeger } from './jaeger.ts';
import { Running, type ProgramName, type Start } from './programs.ts';
import { Prometheus } from './prometheus.ts';
import { ROOT } from './root.ts';

/** What a test wants otherwise than it is shipped. */
export interface StackOptions {
  /** Which programs are started; all but Loki by default. */
  readonly programs?: readonly ProgramName[];
  /** Files of otel-collector/ that are added to config.yaml. */
  readonly overlays?: readonly string[];
  /** More settings of the collector. */
  readonly collector?: Readonly<Record<string, string>>;
  /** Changes the rules of Prometheus. */
  readonly rules?: (text: string) => string;
  /** Keeps the intervals that are shipped, which are long for a test. */
  readonly unhurried?: boolean;
  /** More arguments of Prometheus. */
  readonly prometheusArgs?: readonly string[];
}

const SECOND = '1s';

export class Stack {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'toolspan-stack-'));
  readonly #options: StackOptions;
  readonly #ports: readonly number[];
  readonly #running = new Map<ProgramName, Running>();

  private constructor(options: StackOptions, ports: readonly number[]) {
    this.#options = options;
    this.#ports = ports;
    this.#writePrometheus();
  }

  static async start(options: StackOptions = {}): Promise<Stack> {
    const stack = new Stack(options, await freePorts(14));
    try {
      const programs = options.programs ?? ['otelcol', 'jaeger', 'prometheus'];
      await Promise.all(programs.map((name) => stack.startProgram(name)));
    } catch (error) {
      await stack.stop();
      throw error;
    }
    return stack;
  }

  /** Where servers send, `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get otlp(): string {
    return this.#at(1);
  }

  get jaeger(): Jaeger {
    return new Jaeger(this.#at(4));
  }

  get prometheus(): Prometheus {
    return new Prometheus(this.#at(9));
  }

  /** What the collector says of itself, in Prometheus' text format. */
  get collectorMetrics(): string {
    return `${this.#at(3)}/metrics`;
  }

  get loki(): string {
    return this.#at(10);
  }

  async startProgram(name: ProgramName): Promise<void> {
    this.#running.set(name, await Running.start(this.#starts()[name]));
  }

  async stopProgram(name: ProgramName, signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#running.get(name)?.stop(signal);
    this.#running.delete(name);
  }

  running(name: ProgramName): Running {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    return running;
  }

  /** The last lines of every program, for the message of a failure. */
  lastLines(): string {
    return Array.from(this.#running, ([name, running]) => `--- ${name}\n${running.lastLines()}`).join('\n');
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#running.keys(), (name) => this.stopProgram(name)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #port(index: number): string {
    return `127.0.0.1:${this.#ports[index]}`;
  }

  #at(index: number): string {
    return `http://${this.#port(index)}`;
  }

  #starts(): Readonly<Record<ProgramName, Start>> {
    const folders = [ROOT, this.folder];
    const configs = ['config.yaml', ...(this.#options.overlays ?? [])];
    return {
      otelcol: {
        name: 'otelcol',
        args: configs.map((file) => `--config=${ROOT}otel-collector/${file}`),
        folders,
        health: `${this.#at(2)}/`,
        env: {
          GOMEMLIMIT: '320MiB', // as in docker-compose.yml, and below
          OTELCOL_OTLP_GRPC: this.#port(0),
          OTELCOL_OTLP_HTTP: this.#port(1),
          OTELCOL_HEALTH: this.#port(2),
          OTELCOL_METRICS_HOST: '127.0.0.1',
          OTELCOL_METRICS_PORT: `${this.#ports[3]}`,
          OTELCOL_QUEUE_DIR: join(this.folder, 'queue'),
          JAEGER_OTLP_URL: this.#at(6),
          PROMETHEUS_URL: this.#at(9),
          LOKI_URL: this.#at(10),
          ...(this.#options.unhurried !== true && { SPAN_METRICS_FLUSH: SECOND }),
          ...this.#options.collector,
        },
      },
      jaeger: {
        name: 'jaeger',
        args: [`--config=${ROOT}jaeger/config.yaml`],
        folders,
        health: `${this.#at(7)}/status`,
        env: {
          GOMEMLIMIT: '800MiB',
          JAEGER_HTTP: this.#port(4),
          JAEGER_GRPC: this.#port(5),
          JAEGER_OTLP_HTTP: this.#port(6),
          JAEGER_OTLP_GRPC: this.#port(12),
          JAEGER_HEALTH: this.#port(7),
          JAEGER_METRICS_HOST: '127.0.0.1',
          JAEGER_METRICS_PORT: `${this.#ports[8]}`,
          JAEGER_DATA: join(this.folder, 'jaeger'),
          JAEGER_UI_CONFIG: `${ROOT}jaeger/ui.json`,
          PROMETHEUS_URL: this.#at(9),
        },
      },
      prometheus: {
        name: 'prometheus',
        args: [
          `--config.file=${join(this.folder, 'prometheus/prometheus.yml')}`,
          `--storage.tsdb.path=${join(this.folder, 'tsdb')}`,
          `--web.listen-address=${this.#port(9)}`,
          '--web.enable-otlp-receiver',
          '--enable-feature=exemplar-storage,created-timestamp-zero-ingestion',
          ...(this.#options.prometheusArgs ?? []),
        ],
        folders,
        health: `${this.#at(9)}/-/ready`,
      },
      loki: {
        name: 'loki',
        args: [`-config.file=${ROOT}loki/config.yaml`, '-config.expand-env=true'],
        folders,
        health: `${this.#at(10)}/ready`,
        env: {
          LOKI_HOST: '127.0.0.1',
          LOKI_PORT: `${this.#ports[10]}`,
          LOKI_GRPC_PORT: `${this.#ports[11]}`,
          LOKI_DATA: join(this.folder, 'loki'),
        },
      },
    };
  }

  // Prometheus expands no variables in its file, and 15 s between two looks are long for a test.
  #writePrometheus(): void {
    const to = join(this.folder, 'prometheus');
    cpSync(join(ROOT, 'prometheus'), to, { recursive: true });
    replaceIn(join(to, 'prometheus.yml'), (text) =>
      text
        .replace('otel-collector:8888', this.#port(3))
        .replace('jaeger:8888', this.#port(8))
        .replace('localhost:9090', this.#port(9))
        .replaceAll('15s', this.#options.unhurried === true ? '15s' : SECOND),
    );
    const { rules } = this.#options;
    if (rules !== undefined) replaceIn(join(to, 'rules/toolspan.yml'), rules);
  }
}

function replaceIn(file: string, change: (text: string) => string): void {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
