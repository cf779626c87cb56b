// A meter provider that may be asked before there is an SDK: measurements are kept and made again once that is up. The
// instruments of the API stay silent for ever where they are made before.
import {
  metrics,
  type Attributes,
  type BatchObservableCallback,
  type Context,
  type Counter,
  type Gauge,
  type Histogram,
  type Meter,
  type MeterProvider,
  type MetricOptions,
  type Observable,
  type ObservableCallback,
  type UpDownCounter,
} from '@opentelemetry/api';

const MAX_EARLY_MEASUREMENTS = 10_000;

/** Serves instruments from the start, and hands them to the registered provider when there is one. */
export class LateMeterProvider implements MeterProvider {
  readonly #meters = new Map<string, LateMeter>();
  #attached = false;

  getMeter(name: string, version?: string): Meter {
    const key = `${name}@${version ?? ''}`;
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = new LateMeter(name, version);
      this.#meters.set(key, meter);
      if (this.#attached) meter.attach();
    }
    return meter;
  }

  /** Makes the instruments of the registered provider, and the early measurements with them. */
  attach(): void {
    this.#attached = true;
    for (const meter of this.#meters.values()) meter.attach();
  }
}

class LateMeter implements Meter {
  readonly #name: string;
  readonly #version: string | undefined;
  #waiting: ((meter: Meter) => void)[] = [];
  #meter: Meter | undefined;

  constructor(name: string, version: string | undefined) {
    this.#name = name;
    this.#version = version;
  }

  attach(): void {
    const meter = metrics.getMeterProvider().getMeter(this.#name, this.#version);
    this.#meter = meter;
    for (const make of this.#waiting) make(meter);
    this.#waiting = [];
  }

  createHistogram(name: string, options?: MetricOptions): Histogram {
    return this.#instrument((meter) => ({ record: recorder(meter.createHistogram(name, options)) }));
  }

  createGauge(name: string, options?: MetricOptions): Gauge {
    return this.#instrument((meter) => ({ record: recorder(meter.createGauge(name, options)) }));
  }

  createCounter(name: string, options?: MetricOptions): Counter {
    return this.#instrument((meter) => ({ add: adder(meter.createCounter(name, options)) }));
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounter {
    return this.#instrument((meter) => ({ add: adder(meter.createUpDownCounter(name, options)) }));
  }

  createObservableGauge(name: string, options?: MetricOptions): Observable {
    return this.#observable((meter) => meter.createObservableGauge(name, options));
  }

  createObservableCounter(name: string, options?: MetricOptions): Observable {
    return this.#observable((meter) => meter.createObservableCounter(name, options));
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): Observable {
    return this.#observable((meter) => meter.createObservableUpDownCounter(name, options));
  }

  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    this.#when((meter) => meter.addBatchObservableCallback(callback, observables.map(underlying)));
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    this.#when((meter) => meter.removeBatchObservableCallback(callback, observables.map(underlying)));
  }

  #instrument(make: (meter: Meter) => Partial<Measures>): LateInstrument {
    const instrument = new LateInstrument();
    this.#when((meter) => instrument.attach(make(meter)));
    return instrument;
  }

  #observable(make: (meter: Meter) => Observable): LateObservable {
    const observable = new LateObservable();
    this.#when((meter) => observable.attach(make(meter)));
    return observable;
  }

  #when(then: (meter: Meter) => void): void {
    if (this.#meter === undefined) this.#waiting.push(then);
    else then(this.#meter);
  }
}

type Measure = (value: number, attributes?: Attributes, context?: Context) => void;

interface Measures {
  readonly record: Measure;
  readonly add: Measure;
}

const recorder =
  (instrument: Histogram | Gauge): Measure =>
  (...measurement) =>
    instrument.record(...measurement);
const adder =
  (instrument: Counter | UpDownCounter): Measure =>
  (...measurement) =>
    instrument.add(...measurement);

class LateInstrument implements Measures {
  #early: Parameters<Measure>[] = [];
  #measure: Measure | undefined;

  attach({ record, add }: Partial<Measures>): void {
    this.#measure = record ?? add;
    for (const measurement of this.#early) this.#measure?.(...measurement);
    this.#early = [];
  }

  record(value: number, attributes?: Attributes, context?: Context): void {
    this.add(value, attributes, context);
  }

  add(value: number, attributes?: Attributes, context?: Context): void {
    if (this.#measure !== undefined) this.#measure(value, attributes, context);
    else if (this.#early.length < MAX_EARLY_MEASUREMENTS) this.#early.push([value, attributes, context]);
  }
}

class LateObservable implements Observable {
  readonly #callbacks = new Set<ObservableCallback>();
  observable: Observable | undefined;

  attach(observable: Observable): void {
    this.observable = observable;
    for (const callback of this.#callbacks) observable.addCallback(callback);
    this.#callbacks.clear();
  }

  addCallback(callback: ObservableCallback): void {
    if (this.observable === undefined) this.#callbacks.add(callback);
    else this.observable.addCallback(callback);
  }

  removeCallback(callback: ObservableCallback): void {
    this.#callbacks.delete(callback);
    this.observable?.removeCallback(callback);
  }
}

function underlying(observable: Observable): Observable {
  return observable instanceof LateObservable ? (observable.observable ?? observable) : observable;
}
