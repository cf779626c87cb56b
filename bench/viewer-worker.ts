// A viewer in a process of its own: says where it receives, what it has spent, and what it holds.
import { startViewer } from '../src/viewer/viewer.ts';

const viewer = await startViewer({ port: 0, askForToken: false });
const { endpoint } = viewer;

process.on('message', () => {
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ micros: user + system, held: heapUsed + external, rss });
});
// a bench that failed leaves nothing behind
process.on('disconnect', () => process.exit());
process.send?.({ endpoint });
