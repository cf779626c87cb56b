// What toolspan promises: id -> where the rule comes from, and the behaviour in one sentence. Tests cite the ids;
// test/contract/requirements.test.ts fails for a requirement without a test.
import { demoRequirements } from './requirements/demo.ts';
import { doorsRequirements } from './requirements/doors.ts';
import { errorRequirements } from './requirements/errors.ts';
import { loggingRequirements } from './requirements/logging.ts';
import { healthRequirements } from './requirements/health.ts';
import { loopbackRequirements } from './requirements/loopback.ts';
import { observerRequirements } from './requirements/observer.ts';
import { packageRequirements } from './requirements/package.ts';
import { peersRequirements } from './requirements/peers.ts';
import type { Requirement } from './requirements/requirement.ts';
import { stackRequirements } from './requirements/stack.ts';
import { statsRequirements } from './requirements/stats.ts';
import { resilienceRequirements } from './requirements/resilience.ts';
import { telemetryRequirements } from './requirements/telemetry.ts';
import { viewerRequirements } from './requirements/viewer.ts';

const list = {
  ...observerRequirements,
  ...telemetryRequirements,
  ...packageRequirements,
  ...demoRequirements,
  ...errorRequirements,
  ...loggingRequirements,
  ...peersRequirements,
  ...doorsRequirements,
  ...stackRequirements,
  ...statsRequirements,
  ...healthRequirements,
  ...resilienceRequirements,
  ...loopbackRequirements,
  ...viewerRequirements,
} as const satisfies Record<string, Requirement>;

export type RequirementId = keyof typeof list;

export const requirements: Readonly<Record<RequirementId, Requirement>> = list;
