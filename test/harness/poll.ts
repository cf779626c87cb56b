// Waiting without sleeping: ask until it holds, or fail with what the last answer was.

/** Repeats the check until it returns something, or the deadline (ms) is over; `everyMs` spares a server that is asked. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  deadlineMs = 15_000,
  everyMs = 5,
): Promise<T> {
  const since = performance.now();
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    const waited = performance.now() - since;
    if (waited > deadlineMs) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => (waited < 20 ? setImmediate(resolve) : setTimeout(resolve, everyMs)));
  }
}
