// Of logging: records, sinks, levels, adapters, and what is redacted before any of them.
import { OWN, type Requirement } from './requirement.ts';

export const loggingRequirements = {
  'redaction.keys': { source: OWN, behaviour: 'values are redacted whose key names a secret, by whole words' },
  'redaction.not-secrets': {
    source: OWN,
    behaviour: 'keys and text that only look like secrets are kept: monkey, author, gen_ai.usage.input_tokens',
  },
  'redaction.text': { source: OWN, behaviour: 'secrets of every documented form are redacted inside text' },
  'redaction.rules': {
    source: OWN,
    behaviour: "an application's own keys and forms are redacted, and its exceptions kept",
  },
  'redaction.limits': { source: OWN, behaviour: 'depth, entries and text of a value are bounded' },
  'redaction.any-value': {
    source: OWN,
    behaviour: 'any value becomes plain JSON without the secrets that were planted in it, never a throw',
  },
  'redaction.linear': { source: OWN, behaviour: 'every pattern takes time in proportion to the text, however hostile' },
} as const satisfies Record<string, Requirement>;
