// `toolspan wrap -- <command>`: the pipes between a client and a server on stdio pass through here, and are observed.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { Context } from '@opentelemetry/api';
import { annotated, messagesIn, ObservedPeers, STDIO_WIRE } from './observed-peers.ts';
import { edited, objectAt } from './json-bytes.ts';
import type { LineHandler } from './lines.ts';
import type { Observers } from './observers.ts';
import { relayEdited, relayRead, type Editor, type RelayEnds } from './relay.ts';
import { StdioMediator, type Ends } from './stdio-mediator.ts';
import type { ServerEnd, ServerProcess } from './server-process.ts';

const PASSED_ON: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Wraps a server until it ends.
 *
 * @param propagate whether requests carry the trace context on.
 * @param observe gives nothing where messages only pass.
 * @throws {StartError} where the server could not be started.
 */
export async function wrapStdio(
  server: ServerProcess,
  propagate: boolean,
  observe: () => Observers | undefined,
): Promise<ServerEnd> {
  const client = new StdioClient();
  const observers = observe();
  const peers =
    observers === undefined ? undefined : new ObservedPeers(observers.door, STDIO_WIRE, observers.unobserved);
  const stopPassing = passSignals(server, client);
  let mediator: StdioMediator | undefined;
  const clientGone = (): void => {
    const endInput = (): void => void server.stdin.end();
    // what waits for its turn is still to be said, as long as somebody waits for the answer
    if (mediator === undefined || client.gone) endInput();
    else mediator.whenNothingIsHeld(endInput);
    server.endSoon(() => client.isThere() && peers !== undefined && peers.underWay > 0);
  };
  const upward: RelayEnds = {
    onEnd: clientGone,
    // the server reads no more: neither does this process
    onBroken: () => client.stopSending(),
  };
  const downward: RelayEnds = {
    onEnd: () => client.output.end(),
    onBroken: () => {
      client.gone = true;
      server.stdout.destroy();
      clientGone();
    },
  };
  const { input, output } = client;
  if (observers === undefined || peers === undefined) {
    relayRead(input, server.stdin, undefined, upward);
    relayRead(server.stdout, output, undefined, downward);
  } else if (propagate || observers.mediation !== undefined) {
    const ends = endsOf(server.stdin, output, peers);
    if (observers.mediation !== undefined) mediator = new StdioMediator(observers.mediation, ends);
    const { upper, lower } = editors(observers, peers, propagate, mediator);
    // what a call is answered with by the proxy itself piles up where it is not read, too
    relayEdited(input, server.stdin, upper, upward, [output]);
    relayEdited(server.stdout, output, lower, downward);
  } else {
    const [seeClient, seeServer] = [readerOf(observers, peers, 'fromClient'), readerOf(observers, peers, 'fromServer')];
    relayRead(input, server.stdin, seeClient, upward);
    relayRead(server.stdout, output, seeServer, downward);
  }
  try {
    const end = await server.ended;
    await client.delivered();
    return end;
  } finally {
    stopPassing();
    peers?.close();
    client.close();
  }
}

// Standard input and output of this process. Its own stdout cannot be closed, as a server closes its own; this can.
class StdioClient {
  readonly input: Readable = process.stdin;
  readonly output: Writable = openOutput(() => (this.#hungUp = true));
  readonly #parent = process.ppid;
  /** Whether nobody reads what is written. */
  gone = false;
  #ended = false;
  #hungUp = false;

  constructor() {
    this.input.once('end', () => (this.#ended = true));
    this.input.once('close', () => (this.#ended = true));
  }

  /** Whether it has closed its side. */
  get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether there is still somebody who may want an answer, now that stdin has ended. */
  isThere(): boolean {
    return !this.gone && !this.#hungUp && process.ppid === this.#parent && !hasNoReader();
  }

  /** Takes no more: whoever writes is told so. */
  stopSending(): void {
    this.input.destroy();
  }

  /** Waits until all that was written has been taken. */
  async delivered(): Promise<void> {
    if (this.output.writableLength === 0 || this.gone) return;
    await new Promise<void>((resolve) => {
      this.output.once('finish', resolve);
      this.output.once('error', () => resolve());
      this.output.once('close', resolve);
      this.output.end();
    });
  }

  /** Waits no longer for a client that does not read. */
  giveUp(): void {
    this.gone = true;
    this.output.destroy();
  }

  close(): void {
    this.input.destroy();
  }
}

// A socket says when its other end is closed; where stdin is the same one, that is the end of stdin and no more.
function openOutput(onHangUp: () => void): Writable {
  const kind = fstatSync(1);
  // Made first: whatever imports `node:process` later makes it, which fails (EEXIST) while ours waits for a slow reader.
  void process.stdout;
  if (kind.isFIFO()) return new Socket({ fd: 1, readable: false, writable: true });
  if (!kind.isSocket()) return process.stdout;
  const input = fstatSync(0);
  const isOwn = input.ino !== kind.ino || input.dev !== kind.dev;
  const output = new Socket({ fd: 1, readable: isOwn, writable: true, allowHalfOpen: true });
  if (isOwn) output.once('end', onHangUp).resume();
  return output;
}

// Linux tells whoever opens a pipe to write whether it is read; elsewhere that shows with the next write.
function hasNoReader(): boolean {
  if (process.platform !== 'linux' || !fstatSync(1).isFIFO()) return false;
  try {
    closeSync(openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK));
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENXIO';
  }
}

function passSignals(server: ServerProcess, client: StdioClient): () => void {
  const listeners = PASSED_ON.map((signal) => {
    const pass = (): void => {
      server.signal(signal);
      if (server.hasExited) {
        // all that is left is what the client has not read
        server.stdout.destroy();
        client.giveUp();
      }
      // a client that has closed its side and asks by signal will not wait long
      if (client.hasEnded && signal === 'SIGTERM') server.killSoon();
    };
    process.on(signal, pass);
    return () => process.removeListener(signal, pass);
  });
  return () => {
    for (const stop of listeners) stop();
  };
}

function readerOf({ unobserved }: Observers, peers: ObservedPeers, from: 'fromClient' | 'fromServer'): LineHandler {
  return {
    line(bytes) {
      const messages = messagesIn(bytes);
      if (messages === undefined) unobserved.count('not_json');
      else for (const message of messages) peers[from](message);
    },
    longPiece(_bytes, begins) {
      if (begins) unobserved.count('too_long');
    },
  };
}

type Decide = (line: Buffer, messages: readonly unknown[], inside: readonly Context[]) => Buffer | undefined;

function editors(
  { unobserved }: Observers,
  peers: ObservedPeers,
  propagate: boolean,
  mediator: StdioMediator | undefined,
): { upper: Editor; lower: Editor } {
  const editor = (from: 'fromClient' | 'fromServer', decide: Decide): Editor => ({
    edit(line) {
      const messages = messagesIn(line);
      if (messages === undefined) {
        unobserved.count('not_json');
        return line;
      }
      const inside = messages.map((message) => peers[from](message));
      return decide(propagate ? annotated(line, messages, inside) : line, messages, inside);
    },
    tooLong: () => unobserved.count('too_long'),
  });
  return {
    upper: editor('fromClient', (line, messages, inside) =>
      mediator === undefined ? line : mediator.fromClient(line, messages, inside),
    ),
    lower: editor('fromServer', (line, messages) =>
      mediator === undefined ? line : mediator.fromServer(line, messages),
    ),
  };
}

// What the proxy itself says is observed as if the server had said it.
function endsOf(toServer: Writable, toClient: Writable, peers: ObservedPeers): Ends {
  return {
    toServer(line) {
      // a call that outlives the end of stdin cannot be withdrawn any more
      if (toServer.writable) toServer.write(line);
    },
    toClient: (line) => void toClient.write(line),
    answer(message, idText) {
      peers.fromServer(message);
      const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
      const id = objectAt(bytes, 0).last('id');
      toClient.write(id === undefined ? bytes : edited(bytes, [{ ...id, text: idText }]));
    },
  };
}
