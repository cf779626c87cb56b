// A span of one of our own operations: to whoever reads or writes it the same as a span of the SDK. What we say of an operation
// ourselves is taken as it is; what others add is checked, copied and cut as the SDK does.
import {
  diag,
  SpanStatusCode,
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  type TimeInput,
} from '@opentelemetry/api';
import {
  AddAttributeDecision,
  cleanAttributes,
  cleanSimpleAttributes,
  hrTimeDuration,
  isTimeInput,
  maybeAddAttribute,
  millisToHrTime,
  timeInputToHrTime,
  type InstrumentationScope,
} from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan, Span, SpanLimits, SpanProcessor, TimedEvent } from '@opentelemetry/sdk-trace';
import {
  ATTR_EXCEPTION_MESSAGE,
  ATTR_EXCEPTION_STACKTRACE,
  ATTR_EXCEPTION_TYPE,
  EVENT_EXCEPTION,
} from '../telemetry/semconv.ts';

/** What all spans of one tracer have in common. */
export interface SpanHome {
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly processor: SpanProcessor;
  readonly limits: Required<SpanLimits>;
}

/** What a span begins with. */
export interface SpanStart {
  readonly spanContext: SpanContext;
  readonly parentSpanContext: SpanContext | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startTime: HrTime;
  /** The span's own from now on, as are the links. */
  readonly attributes: Attributes;
  readonly links: Link[];
  /** Counts it as ended in the SDK's own metrics. */
  readonly recordEnd: () => void;
}

type ExceptionParts = Exclude<Exception, string>;

// An operation says less of itself than this, so that nothing needs to be counted.
const MOST_ATTRIBUTES = 32;

/** Whether spans within these limits may take what operations say of themselves as it is. */
export function leavesRoom({ attributeCountLimit, attributeValueLengthLimit }: SpanHome['limits']): boolean {
  return attributeCountLimit > MOST_ATTRIBUTES && attributeValueLengthLimit === Number.POSITIVE_INFINITY;
}

const NOT_ENDED: HrTime = [0, 0];

/** A span under way, or ended. */
export class LeanSpan implements Span, ReadableSpan {
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly links: Link[];
  readonly events: TimedEvent[] = [];
  name: string;
  attributes: Attributes;
  /** What its attributes began with, where that is an object that many spans share. */
  common: Attributes | undefined;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  endTime: HrTime = NOT_ENDED;
  ended = false;
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount: number;
  readonly #home: SpanHome;
  readonly #spanContext: SpanContext;
  readonly #recordEnd: () => void;
  // how many attributes it has at most
  #most = MOST_ATTRIBUTES;

  constructor(home: SpanHome, start: SpanStart) {
    this.#home = home;
    this.#spanContext = start.spanContext;
    if (start.parentSpanContext !== undefined) this.parentSpanContext = start.parentSpanContext;
    this.name = start.name;
    this.kind = start.kind;
    this.startTime = start.startTime;
    this.attributes = start.attributes;
    this.droppedLinksCount = Math.max(0, start.links.length - home.limits.linkCountLimit);
    this.links = this.droppedLinksCount === 0 ? start.links : start.links.slice(this.droppedLinksCount);
    this.#recordEnd = start.recordEnd;
  }

  get resource(): Resource {
    return this.#home.resource;
  }

  get instrumentationScope(): InstrumentationScope {
    return this.#home.instrumentationScope;
  }

  get duration(): HrTime {
    return this.ended ? hrTimeDuration(this.startTime, this.endTime) : [-1, -1];
  }

  spanContext(): SpanContext {
    return this.#spanContext;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  /**
   * Takes what an operation says of itself, the start included: the object is the span's from now on.
   *
   * @param common what stands first in it, the same object for many spans.
   */
  takeAttributes(attributes: Attributes, common: Attributes): void {
    if (this.#most > MOST_ATTRIBUTES) {
      Object.assign(this.attributes, attributes);
    } else {
      this.attributes = attributes;
      this.common = common;
    }
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (this.#isOver()) return this;
    const { limits } = this.#home;
    const isPlain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    if (isPlain && key !== '' && this.#most < limits.attributeCountLimit) {
      this.attributes[key] = value;
      this.#most++;
      return this;
    }
    const { attributes } = this;
    const currentAttributesCount = Object.keys(attributes).length;
    const decision = maybeAddAttribute({ key, value, attributes, limits, currentAttributesCount });
    if (decision === AddAttributeDecision.DROP_LIMIT_REACHED) this.droppedAttributesCount++;
    else this.#most++;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) {
      if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key]);
    }
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.#isOver()) return this;
    const { eventCountLimit, attributePerEventCountLimit, attributeValueLengthLimit } = this.#home.limits;
    const isTime = isTimeInput(attributesOrTime);
    const limits = { attributeCountLimit: attributePerEventCountLimit, attributeValueLengthLimit };
    const event: TimedEvent = {
      name,
      time: timeOf(isTimeInput(time) ? time : isTime ? attributesOrTime : undefined),
      ...cleanSimpleAttributes(isTime ? undefined : attributesOrTime, limits),
    };
    this.droppedEventsCount += addWithin(eventCountLimit, this.events, event);
    return this;
  }

  addLink(link: Link): this {
    if (this.#isOver()) return this;
    const { limits } = this.#home;
    this.droppedLinksCount += addWithin(limits.linkCountLimit, this.links, linkWithin(limits, link));
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus({ code, message }: SpanStatus): this {
    if (this.#isOver() || code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this;
    this.status = code === SpanStatusCode.ERROR && typeof message === 'string' ? { code, message } : { code };
    return this;
  }

  updateName(name: string): this {
    if (!this.#isOver()) this.name = name;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const given =
      typeof exception === 'string' ? { message: exception } : (Object(exception) as Partial<ExceptionParts>);
    const { code, name, message, stack } = given;
    const type = code === undefined || code === '' ? name : String(code);
    if (!type && !message) {
      diag.warn('a span was given an exception without a type and a message, which is left out');
      return;
    }
    const attributes: Attributes = {};
    if (type) attributes[ATTR_EXCEPTION_TYPE] = type;
    if (message) attributes[ATTR_EXCEPTION_MESSAGE] = message;
    if (stack) attributes[ATTR_EXCEPTION_STACKTRACE] = stack;
    this.addEvent(EVENT_EXCEPTION, attributes, time);
  }

  end(time?: TimeInput): void {
    if (this.#isOver()) return;
    const { processor } = this.#home;
    const endTime = timeOf(time);
    // a clock that was set back makes no negative duration
    this.endTime = hrTimeDuration(this.startTime, endTime)[0] < 0 ? [...this.startTime] : endTime;
    processor.onEnding?.(this);
    this.#recordEnd();
    this.ended = true;
    processor.onEnd(this);
  }

  #isOver(): boolean {
    if (this.ended) diag.warn(`the span ${this.name} has ended: what is said of it now is left out`);
    return this.ended;
  }
}

/** Adds the latest, in place of the oldest where there is no room; gives how many are dropped. */
function addWithin<T>(limit: number, list: T[], latest: T): number {
  if (limit === 0) return 1;
  const dropped = list.length >= limit ? 1 : 0;
  if (dropped === 1) list.shift();
  list.push(latest);
  return dropped;
}

/** A link as a span within these limits keeps it. */
export function linkWithin(limits: SpanHome['limits'], { context, attributes }: Link): Link {
  const { attributePerLinkCountLimit: attributeCountLimit, attributeValueLengthLimit } = limits;
  return { context, ...cleanAttributes(attributes, { attributeCountLimit, attributeValueLengthLimit }) };
}

/** A time as a span keeps it; now where none is given. */
export function timeOf(time: TimeInput | undefined): HrTime {
  return time === undefined ? millisToHrTime(Date.now()) : timeInputToHrTime(time);
}
