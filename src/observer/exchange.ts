// One HTTP exchange, as far as it matters here: whether anything in it reached a server, or all was refused before.
import { AsyncLocalStorage } from 'node:async_hooks';

/** An HTTP exchange under way. */
export interface Exchange {
  dispatched: boolean;
}

/** The exchange that the current code works for, where `instrumentHandler` saw it begin. */
export const exchanges: AsyncLocalStorage<Exchange> = new AsyncLocalStorage<Exchange>();

/** Notes that a message of the exchange under way has reached a server. */
export function noteDispatched(): void {
  const exchange = exchanges.getStore();
  if (exchange !== undefined) exchange.dispatched = true;
}
