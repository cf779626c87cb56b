// Asking the API, again whenever something came, but never more often than a view can use.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Change } from '../api/shapes.ts';
import { connected, latestChange, pausedAt } from './live.ts';
import { useObservable } from './observable.ts';

export interface Answer<T> {
  /** The question that it answers: while the next answer is on its way, the one before. */
  readonly key: string;
  readonly data: T | undefined;
  readonly error: string | undefined;
}

/** Asks once. */
export async function ask<T>(path: string): Promise<T> {
  const response = await fetch(path, { headers: { accept: 'application/json' } });
  connected.set(true);
  if (response.ok) return (await response.json()) as T;
  const problem = (await response.json().catch(() => ({}))) as { error?: { message?: string } };
  if (response.status === 401)
    throw new Error('The token is not known any more. Open the address that toolspan printed.');
  throw new Error(problem.error?.message ?? `The viewer answered ${response.status}.`);
}

interface Live {
  /** At least this long between two questions, in ms. */
  readonly everyMs: number;
  /** Whether a change matters; every one where it is left out. */
  readonly matters?: ((change: Change) => boolean) | undefined;
  /** Ask also when nothing came, since time goes on. */
  readonly idleMs?: number | undefined;
}

/**
 * Asks, and asks again as things come in. The answer before stays until there is a new one.
 *
 * @param path makes the address at the moment of asking; the key tells when it is another question.
 */
export function useQuery<T>(key: string, path: () => string | undefined, live?: Live): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ key, data: undefined, error: undefined });
  const paused = useObservable(pausedAt);
  const latest = useRef({ path, live });
  latest.current = { path, live };
  useEffect(() => {
    let [stopped, busy, wanted] = [false, false, false];
    let askedAt = Number.NEGATIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const run = () => {
      timer = undefined;
      const address = latest.current.path();
      if (busy || address === undefined) {
        wanted = busy;
        return;
      }
      [busy, wanted] = [true, false];
      askedAt = performance.now();
      ask<T>(address)
        .then(
          (data) => !stopped && setAnswer({ key, data, error: undefined }),
          (error: unknown) => {
            const message = error instanceof TypeError ? 'The viewer cannot be reached.' : (error as Error).message;
            if (!stopped)
              setAnswer((before) => ({ key, data: before.key === key ? before.data : undefined, error: message }));
          },
        )
        .finally(() => {
          busy = false;
          if (wanted && !stopped) plan();
        });
    };
    const plan = () => {
      const everyMs = latest.current.live?.everyMs ?? 0;
      timer ??= setTimeout(run, Math.max(0, askedAt + everyMs - performance.now()));
    };
    run();
    const isLive = live !== undefined && paused === undefined;
    const unfollow = isLive
      ? latestChange.follow(() => {
          const change = latestChange.get();
          if (change !== undefined && (latest.current.live?.matters?.(change) ?? true)) plan();
        })
      : undefined;
    const idle = isLive && live.idleMs !== undefined ? setInterval(plan, live.idleMs) : undefined;
    return () => {
      stopped = true;
      clearTimeout(timer);
      clearInterval(idle);
      unfollow?.();
    };
    // the question itself and whether it is held still are all that begin anew
  }, [key, paused, live === undefined]);
  return answer;
}
