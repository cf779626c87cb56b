// A value that components follow.
import { useEffect, useState } from 'preact/hooks';

export class Observable<T> {
  #value: T;
  readonly #followers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const follower of this.#followers) follower();
  }

  follow(follower: () => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }
}

/** The value now, and again each time it changes. */
export function useObservable<T>(observable: Observable<T>): T {
  const [, render] = useState({});
  useEffect(() => observable.follow(() => render({})), [observable]);
  return observable.get();
}
