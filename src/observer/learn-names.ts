// What a successful answer shows of the names of tools and prompts; from then on such a name may be a label.
import { targetKindOf } from '../protocol/method.ts';
import type { OperationKinds } from '../telemetry/kind.ts';
import { OTHER } from '../telemetry/names.ts';
import type { LiveOperation } from './live-operation.ts';
import type { KnownNames } from './names.ts';

/** Learns from the answer to an operation; the operation itself is renamed where its own target was not known before. */
export function learnNames(operation: LiveOperation, result: unknown, names: KnownNames, kinds: OperationKinds): void {
  const { method, target } = operation;
  if (method === 'tools/list' || method === 'prompts/list') {
    names.learnFromList(method, result);
    return;
  }
  const targetKind = targetKindOf(method);
  if (target === undefined || targetKind === undefined || names.label(targetKind, target) !== OTHER) return;
  if (names.registered(targetKind, target) !== undefined) return;
  names.learn(targetKind, target);
  operation.kind = kinds.of(method, names.label(targetKind, target));
  // a span of another instrumentation keeps the name that it was given
  if (operation.span?.owned === true) operation.span.span.updateName(operation.kind.spanName);
}
