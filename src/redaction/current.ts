// The redactor of this process: one set of rules for logs, spans and answers alike.
import { Redactor, type RedactionRules } from './redactor.ts';

let current = new Redactor();

/** The redactor in force. */
export function redactor(): Redactor {
  return current;
}

/** Puts other rules in force, from now on. */
export function useRedaction(rules: RedactionRules): void {
  current = new Redactor(rules);
}
