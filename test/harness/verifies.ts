// A test that shows a requirement: its name is the requirement's id and sentence.
import { test, type TestFunction } from 'vitest';
import { requirements, type RequirementId } from '../requirements.ts';

/** Declares a test of a requirement; `how` tells tests of one requirement apart. */
export function verifies(id: RequirementId, test_: TestFunction, how = ''): void {
  test(`${id}: ${requirements[id].behaviour}${how === '' ? '' : ` (${how})`}`, test_);
}
