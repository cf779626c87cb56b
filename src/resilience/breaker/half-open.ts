// The probes of a half-open breaker: so many permits, each a lease that comes back however the probe ends, or ends by itself
// where it never does. Pure.

/** The permit of one probe. */
export interface Lease {
  readonly expiresAt: number;
}

/** Who may try, and what it has shown so far. */
export class HalfOpen {
  readonly #probes: number;
  readonly #leaseMs: number;
  readonly #leases = new Set<Lease>();
  #succeeded = 0;

  constructor(probes: number, leaseMs: number) {
    this.#probes = probes;
    this.#leaseMs = leaseMs;
  }

  /** A permit for one probe; undefined where all are given out. */
  admit(now: number): Lease | undefined {
    if (this.#free(now) <= 0) return undefined;
    const lease = { expiresAt: now + this.#leaseMs };
    this.#leases.add(lease);
    return lease;
  }

  /** Takes a permit back without a verdict; false where it had expired, so that its probe counts no more. */
  giveBack(lease: Lease): boolean {
    return this.#leases.delete(lease);
  }

  /** Counts a probe that succeeded; true where that were enough. */
  succeeded(): boolean {
    return ++this.#succeeded >= this.#probes;
  }

  /** How long it takes at most until there is a permit, in ms. */
  nextPermitMs(now: number): number {
    if (this.#free(now) > 0) return 0;
    let next = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.#leases) next = Math.min(next, expiresAt);
    return next - now;
  }

  #free(now: number): number {
    for (const lease of this.#leases) if (lease.expiresAt <= now) this.#leases.delete(lease);
    return this.#probes - this.#leases.size - this.#succeeded;
  }
}
