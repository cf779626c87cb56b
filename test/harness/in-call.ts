// Code that runs inside a tool call of an instrumented server.
import type { InstrumentServerOptions } from '../../src/index.ts';
import { referenceServer, type Registering } from '../fixtures/reference-server.ts';
import type { Recorder } from './recorder.ts';
import { script } from './scripted.ts';

/** Runs code inside a call of the tool `work`, and returns what was recorded. */
export async function inCall(work: () => unknown, options: InstrumentServerOptions = {}): Promise<Recorder> {
  const server = referenceServer('v2');
  (server as unknown as Registering).registerTool('work', {}, async () => {
    await work();
    return { content: [] };
  });
  const { call, transport, recorder: recorded } = await script(server, options);
  call(1, 'work');
  await transport.answer(1);
  return recorded;
}
