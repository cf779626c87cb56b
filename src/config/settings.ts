// The settings of the doors that need no code: environment variables `TOOLSPAN_*`, each also a flag of `toolspan wrap`.
// Loads no zod: every start of a server passes through here.

/** What a setting may be. */
export type SettingKind = 'switch' | 'file' | 'milliseconds' | 'url' | 'word' | 'secret';

/** One setting. */
export interface Setting {
  readonly variable: string;
  /** The flag of `toolspan wrap`. */
  readonly flag: string;
  readonly kind: SettingKind;
  /** What it does, for people. */
  readonly does: string;
}

/** Every setting there is. */
export const SETTINGS: readonly Setting[] = [
  {
    variable: 'TOOLSPAN_DISABLED',
    flag: 'disabled',
    kind: 'switch',
    does: 'no telemetry of ours; messages pass as they are',
  },
  {
    variable: 'TOOLSPAN_TOOLS',
    flag: 'tools',
    kind: 'switch',
    does: "offers the agent's tools beside the server's own",
  },
  {
    variable: 'TOOLSPAN_CONFIG',
    flag: 'policy',
    kind: 'file',
    does: 'policies for tools, from a .json or .mjs file',
  },
  {
    variable: 'TOOLSPAN_PROPAGATE',
    flag: 'propagate',
    kind: 'switch',
    does: 'wrap only: puts the trace context into the requests that pass',
  },
  {
    variable: 'TOOLSPAN_MAX_OPERATION_MS',
    flag: 'max-operation-ms',
    kind: 'milliseconds',
    does: 'how long an operation may stay open (default one hour)',
  },
  {
    variable: 'TOOLSPAN_SHUTDOWN_TIMEOUT_MS',
    flag: 'shutdown-timeout-ms',
    kind: 'milliseconds',
    does: 'how long the last delivery may take (register 3000, wrap on stdio 800)',
  },
  {
    variable: 'TOOLSPAN_TRACE_URL',
    flag: 'trace-url',
    kind: 'url',
    does: "where people look at traces, for links in the agent's tools",
  },
  {
    variable: 'TOOLSPAN_LOG_LEVEL',
    flag: 'log-level',
    kind: 'word',
    does: 'from which level on is logged: debug, info, warn, error or off',
  },
  {
    variable: 'TOOLSPAN_LOG_FORMAT',
    flag: 'log-format',
    kind: 'word',
    does: 'how stderr gets log lines: json, readable or off',
  },
  {
    variable: 'TOOLSPAN_IDENTITY_KEY',
    flag: 'identity-key',
    kind: 'secret',
    does: 'makes hashed identities the same in every process that has it',
  },
];

/** What the settings say. */
export interface DoorSettings {
  readonly disabled: boolean;
  readonly tools: boolean;
  /** Path of the file with policies. */
  readonly configFile: string | undefined;
  readonly propagate: boolean;
  readonly maxOperationMs: number | undefined;
  readonly shutdownTimeoutMs: number | undefined;
}

/** The settings in force, with a complaint for each that cannot be read: it is as if it were not set. */
export interface ReadSettings {
  readonly settings: DoorSettings;
  readonly complaints: readonly string[];
}

/** What a variable says; one that is empty says nothing. */
export function givenIn(environment: NodeJS.ProcessEnv, variable: string): string | undefined {
  return environment[variable]?.trim() || undefined;
}

/** Reads the variables. Never throws. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): ReadSettings {
  const complaints: string[] = [];
  const given = (variable: string) => givenIn(environment, variable);
  const isOn = (variable: string): boolean => {
    const value = given(variable)?.toLowerCase();
    if (value !== undefined && value !== 'true' && value !== 'false') {
      complaints.push(`${variable} must be true or false, got "${value}"; it is left out`);
    }
    return value === 'true';
  };
  const milliseconds = (variable: string): number | undefined => {
    const value = given(variable);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (number >= 1 && number < 2 ** 31) return number;
    complaints.push(
      `${variable} must be a number of milliseconds from 1 to ${2 ** 31 - 1}, got "${value}"; it is left out`,
    );
    return undefined;
  };
  for (const variable of Object.keys(environment)) {
    if (variable.startsWith('TOOLSPAN_') && !SETTINGS.some((setting) => setting.variable === variable)) {
      complaints.push(
        `${variable} is no setting of toolspan; there are ${SETTINGS.map((setting) => setting.variable).join(', ')}`,
      );
    }
  }
  const settings = {
    disabled: isOn('TOOLSPAN_DISABLED'),
    tools: isOn('TOOLSPAN_TOOLS'),
    configFile: given('TOOLSPAN_CONFIG'),
    propagate: isOn('TOOLSPAN_PROPAGATE'),
    maxOperationMs: milliseconds('TOOLSPAN_MAX_OPERATION_MS'),
    shutdownTimeoutMs: milliseconds('TOOLSPAN_SHUTDOWN_TIMEOUT_MS'),
  };
  return { settings, complaints };
}
