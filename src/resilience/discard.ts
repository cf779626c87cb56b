// What becomes of a result that nobody will read. Pure.

/** Lets go of what a dropped result holds: the body of an HTTP response keeps its connection until it is read. */
export function discard(value: unknown): void {
  if (!(value instanceof Response) || value.body === null || value.bodyUsed) return;
  // a body that is locked or broken has somebody else to look after it
  value.body.cancel().catch(() => {});
}
