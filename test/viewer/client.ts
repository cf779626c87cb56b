// A viewer with telemetry in it, and a client of its API that has the token.
import { onTestFinished } from 'vitest';
import { startViewer, type Viewer, type ViewerOptions } from '../../src/viewer/viewer.ts';

export interface ViewerClient {
  readonly viewer: Viewer;
  readonly token: string;
  /** Any request, with the token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** An answer of the API. */
  get<T>(path: string): Promise<T>;
}

/** Starts a viewer on a free port; it ends with the test, unless `keep` is set. */
export async function viewerClient(options: Partial<ViewerOptions> = {}, keep = false): Promise<ViewerClient> {
  const viewer = await startViewer({ port: 0, ...options });
  if (!keep) onTestFinished(() => viewer.close());
  const token = new URL(viewer.url).searchParams.get('token') ?? '';
  const send = (path: string, init: RequestInit = {}) =>
    fetch(viewer.endpoint + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
    });
  return {
    viewer,
    token,
    fetch: send,
    async get<T>(path: string) {
      const response = await send(path);
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
      return (await response.json()) as T;
    },
  };
}
