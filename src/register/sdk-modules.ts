// Finds the code of the MCP SDKs as it is loaded, as ESM or CommonJS, in any number of copies, also where a bundler has put it
// into another module: each of its classes is made to show itself when it is defined. Nothing else is touched.
// By its default export: on an older Node a named import would be an error that nobody understands.
import module_ from 'node:module';

/** A class of the SDK. */
export type Class = abstract new (...args: never[]) => object;

/** A function that makes something to be observed: `createMcpHandler` of SDK v2. */
type Maker = (...args: unknown[]) => unknown;

/** What is told of the modules that are loaded. */
export interface ModuleListener {
  /** A class of this name, which may be one of the SDK's, has been defined. */
  onClass(name: string, defined: Class): void;
  /** `createMcpHandler` has made a handler. */
  onHandler(handler: unknown): void;
  /** A bundler has put the SDK into this module and renamed its classes. */
  onHiddenSdk(url: string): void;
}

const KEY = Symbol.for('toolspan.register.v1');
const SDK_MODULE = /\/@modelcontextprotocol\/(?:sdk|server|client)\/dist\/[^?]+\.[cm]?js(?:\?|$)/;
const DEPENDENCY = /\/node_modules\//;
// Members that no minifier renames and a message that every server knows; a module with less in it than this has no SDK.
const MARKS = ['_requestHandlers', '_notificationHandlers', 'notifications/initialized'];
const LEAST_BUNDLE = 50_000;

// `class Server extends Protocol {` and `var Server=class extends Protocol{`, with what a bundler adds to a name
const CLASS_HEAD =
  /\b(?:class\s+_?(McpServer|Server|Client)\d*|(McpServer|Server|Client)\d*\s*=\s*class(?:\s+\w+)?)(?:\s+extends\s+[\w$.]+)?\s*\{/g;
const MAKER_HEAD = /\bfunction (createMcpHandler\d*)\([^)]*\)\s*\{/g;
const LISTENER = "globalThis[Symbol.for('toolspan.register.v1')]";

type Source = string | ArrayBuffer | NodeJS.TypedArray | undefined;

/** Tells the listener of every SDK that this thread loads from now on; false where another copy of us does already. */
export function watchModules(listener: ModuleListener): boolean {
  const holder = globalThis as { [KEY]?: object };
  if (holder[KEY] !== undefined) return false;
  let making = false;
  const onMake = (make: Maker, args: unknown[]): unknown => {
    // called from inside the maker itself, which it calls again to get the handler
    if (making) return undefined;
    making = true;
    try {
      const handler = make(...args);
      listener.onHandler(handler);
      return handler;
    } finally {
      making = false;
    }
  };
  Object.defineProperty(holder, KEY, {
    value: { onClass: (name: string, defined: Class) => listener.onClass(name, defined), onMake },
  });
  module_.registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      try {
        const shown = withShown(url, loaded.source, listener);
        if (shown !== undefined) return { ...loaded, source: shown };
      } catch {
        // a module that cannot be looked into is run as it is
      }
      return loaded;
    },
  });
  return true;
}

function withShown(url: string, source: Source, listener: ModuleListener): string | undefined {
  const isSdk = SDK_MODULE.test(url);
  if (!isSdk && DEPENDENCY.test(url) && lengthOf(source) < LEAST_BUNDLE) return undefined;
  const text = textOf(source);
  if (text === undefined) return undefined;
  const isBundle = !isSdk && MARKS.every((mark) => text.includes(mark));
  if (!isSdk && !isBundle) return undefined;
  // one line, so that the lines of errors stay
  const shown = text
    .replaceAll(CLASS_HEAD, (head, first?: string, second?: string) => {
      const name = first ?? second ?? '';
      return `${head}static{${LISTENER}?.onClass('${name}',this)}`;
    })
    .replaceAll(MAKER_HEAD, (head, name: string) => {
      return `${head}{const made=${LISTENER}?.onMake(${name},arguments);if(made!==undefined)return made}`;
    });
  if (shown !== text) return shown;
  if (isBundle) listener.onHiddenSdk(url);
  return undefined;
}

function lengthOf(source: Source): number {
  if (source === undefined || source === null) return 0;
  return typeof source === 'string' ? source.length : source.byteLength;
}

function textOf(source: Source): string | undefined {
  // Node gives null where it reads a CommonJS module by itself
  if (source === undefined || source === null) return undefined;
  return typeof source === 'string' ? source : Buffer.from(source as ArrayBuffer).toString('utf8');
}
