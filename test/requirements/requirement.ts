// What one promise is.

export interface Requirement {
  /** A specification, or `toolspan` for a rule of our own. */
  readonly source: string;
  readonly behaviour: string;
}

export const OWN = 'toolspan';
