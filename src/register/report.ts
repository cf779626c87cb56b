// What register says to the operator: one line on stderr, which servers it observes, or that there is none and why.
import { complainOnce } from '../diagnostics.ts';

const WAIT_FOR_SERVER_MS = 10_000;

/** What has been seen of this process so far. */
export class Report {
  #sdkSeen = false;
  #hidden: string | undefined;
  #found = false;

  /** @param asked whether this very program was started with `--import`, not merely reached by NODE_OPTIONS. */
  constructor(asked: boolean) {
    if (!asked) return;
    setTimeout(() => this.#sayIfNothing('no MCP server seen yet'), WAIT_FOR_SERVER_MS).unref();
    process.once('exit', () => this.#sayIfNothing('no MCP server seen'));
  }

  sdkLoaded(): void {
    this.#sdkSeen = true;
  }

  /** A bundler has put the SDK into this module, where it is not found. */
  sdkHidden(url: string): void {
    if (this.#hidden !== undefined) return;
    this.#hidden = url;
    complainOnce(
      'register:hidden',
      `the MCP SDK is bundled into ${fileOf(url)} with its names minified, so this server is not observed. Keep the SDK out of the bundle (esbuild: --external:@modelcontextprotocol/*) or its names in it (leave out --minify-identifiers), call instrumentServer in the source, or run "toolspan wrap -- node ${fileOf(url)}".`,
    );
  }

  found(kind: 'server' | 'client', name: string | undefined): void {
    this.#found = true;
    complainOnce(
      `register:found:${kind}:${name}`,
      `observing the MCP ${kind}${name === undefined ? '' : ` "${name}"`}`,
    );
  }

  #sayIfNothing(begin: string): void {
    if (this.#found || this.#hidden !== undefined) return;
    const why = this.#sdkSeen
      ? 'the MCP SDK is loaded, but no server or client has connected'
      : 'this program has not loaded @modelcontextprotocol/sdk, server or client. For a server that is not built on them use "toolspan wrap -- <command>"';
    complainOnce('register:nothing', `${begin}: ${why}.`);
  }
}

function fileOf(url: string): string {
  return decodeURIComponent(url.replace(/^file:\/\//, '').replace(/\?.*$/, ''));
}
