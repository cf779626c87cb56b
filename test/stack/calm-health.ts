// Loaded before the demo's server where a test needs its health to follow its calls alone, however busy this machine is.
import { configureHealth } from '../../src/index.ts';

configureHealth({
  cpu: false,
  memory: false,
  disk: false,
  heap: false,
  eventLoopUtilization: false,
  eventLoopDelayMs: false,
});
