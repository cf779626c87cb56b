// The handler layer: the handlers of the application note what they throw, before the SDK flattens it to text.
// Reads private fields of both SDK generations, the only file beside server/registry.ts that does.
import { runningCall } from '../context.ts';
import { complainOnce } from '../diagnostics.ts';
import { isRecord } from '../protocol/message.ts';
import { signalOf, type Handler } from './handler-extra.ts';

/** Puts something between the observer and a handler. */
export type Around = (handler: Handler) => Handler;

const OBSERVED = Symbol('toolspan.handler');
type Marked = Handler & { [OBSERVED]?: true };

/** The handlers that an SDK protocol object keeps by method. */
export class RequestHandlers {
  readonly #maps: Map<string, Handler>[];

  constructor(protocol: object) {
    const { _requestHandlers: requests, _notificationHandlers: notifications } = protocol as {
      _requestHandlers?: unknown;
      _notificationHandlers?: unknown;
    };
    this.#maps = [requests, notifications].filter((map) => map instanceof Map) as Map<string, Handler>[];
    if (this.#maps.length < 2) {
      complainOnce(
        'handlers',
        'this version of the MCP SDK keeps its handlers where toolspan does not find them: spans go on, but without the exceptions that handlers throw. Please update toolspan.',
      );
    }
  }

  /** Sees that whatever is registered for the method by now is observed, and has around it what belongs there. */
  arm(method: string, _target?: string, around?: Around): void {
    for (const handlers of this.#maps) {
      const handler = handlers.get(method);
      if (typeof handler === 'function' && !isHandlerObserved(handler)) {
        handlers.set(method, observeHandler(around?.(handler) ?? handler));
      }
    }
  }
}

/** Whether this handler notes what it throws. */
export function isHandlerObserved(handler: Handler): boolean {
  return (handler as Marked)[OBSERVED] === true;
}

/** Sees that the function under this key of an object is observed, whoever put it there, with what belongs around it. */
export function observeProperty(owner: Record<string, unknown>, key: string, around?: Around): boolean {
  const handler = owner[key] as Handler | undefined;
  if (typeof handler !== 'function') return false;
  if (!isHandlerObserved(handler)) owner[key] = observeHandler(around?.(handler) ?? handler);
  return true;
}

/** The same function to its caller: arguments, `this` and what it returns pass through untouched. */
function observeHandler(handler: Handler): Handler {
  const observing: Marked = function (this: unknown, ...args: unknown[]): unknown {
    const call = runningCall();
    // what a handler calls in turn is its own business: it may well catch what that throws
    if (call === undefined || call.entered) return handler.apply(this, args);
    call.noteEntered();
    call.signal = signalOf(args.at(-1));
    let returned: unknown;
    try {
      returned = handler.apply(this, args);
    } catch (error) {
      call.noteThrown(error);
      call.noteLeft();
      throw error;
    }
    if (returned instanceof Promise) {
      returned.then(
        (value) => call.noteLeft(value),
        (error: unknown) => {
          call.noteThrown(error);
          call.noteLeft();
        },
      );
      return returned;
    }
    if (isThenable(returned)) {
      // a lazy thenable (a query builder) does its work each time it is asked, so it is asked once, here
      return Promise.resolve(returned).then(
        (value) => {
          call.noteLeft(value);
          return value;
        },
        (error: unknown) => {
          call.noteThrown(error);
          call.noteLeft();
          throw error;
        },
      );
    }
    call.noteLeft(returned);
    return returned;
  };
  observing[OBSERVED] = true;
  return observing;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isRecord(value) && typeof value['then'] === 'function';
}
