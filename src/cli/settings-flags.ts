// Every setting as a flag: MCP clients hand a server that they start six variables of their environment, and no more.
import { SETTINGS, type SettingKind } from '../config/settings.ts';
import { UsageError } from './usage-error.ts';

const SHORT: Readonly<Record<string, string>> = {
  endpoint: 'OTEL_EXPORTER_OTLP_ENDPOINT',
  'service-name': 'OTEL_SERVICE_NAME',
};

const VALUES: Readonly<Record<SettingKind, string>> = {
  switch: '',
  file: ' <file>',
  milliseconds: ' <ms>',
  url: ' <url>',
  word: ' <word>',
  secret: ' <key>',
};

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'];
const WORDS: Readonly<Record<string, readonly string[]>> = {
  TOOLSPAN_LOG_LEVEL: ['debug', 'info', 'warn', 'error', 'off'],
  TOOLSPAN_LOG_FORMAT: ['auto', 'json', 'readable', 'off'],
  OTEL_TRACES_SAMPLER: [...SAMPLERS, ...SAMPLERS.map((name) => `parentbased_${name}`)],
};

/** What is wrong with variables that take one of a few words; as the runtime, which goes on with the default. */
export function wordComplaints(environment: NodeJS.ProcessEnv): string[] {
  return Object.entries(WORDS).flatMap(([variable, words]) => {
    const value = environment[variable]?.trim() ?? '';
    const word = variable.startsWith('TOOLSPAN_') ? value.toLowerCase() : value;
    return word === '' || words.includes(word)
      ? []
      : [`${variable} must be one of ${words.join(', ')}, got "${value}"`];
  });
}

/** The usage text of the flags. */
export const SETTING_FLAGS: string = [
  ...SETTINGS.map(({ flag, kind, variable, does }) => {
    return [`--${flag}${VALUES[kind]}`, `${does} (${variable})`];
  }),
  ['--endpoint <url>', 'where telemetry goes (OTEL_EXPORTER_OTLP_ENDPOINT)'],
  ['--service-name <name>', 'service.name of the telemetry (OTEL_SERVICE_NAME)'],
  ['--otel-... <value>', 'any OTEL_... variable, for example --otel-traces-exporter console'],
]
  .map(([flag = '', does = '']) => `  ${flag.padEnd(26)} ${does}`)
  .join('\n');

/** What the arguments leave when the settings are taken out of them. */
export interface TakenSettings {
  /** The variables that the flags set, for this process alone. */
  readonly variables: Readonly<Record<string, string>>;
  readonly rest: string[];
}

/** Takes the flags of settings out of the arguments, up to `--`. @throws {UsageError} where a value is missing. */
export function takeSettings(args: readonly string[]): TakenSettings {
  const variables: Record<string, string> = {};
  const rest: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] as string;
    if (argument === '--') {
      rest.push(...args.slice(index));
      break;
    }
    const [name = '', ...given] = argument.startsWith('--') ? argument.slice(2).split('=') : [];
    const variable = variableOf(name);
    if (variable === undefined) {
      rest.push(argument);
    } else if (given.length > 0) {
      variables[variable] = given.join('=');
    } else if (isSwitch(name)) {
      variables[variable] = 'true';
    } else {
      const value = args[++index];
      if (value === undefined || value === '--') throw new UsageError(`--${name} needs a value`);
      variables[variable] = value;
    }
  }
  const [complaint] = wordComplaints(variables);
  if (complaint !== undefined) throw new UsageError(complaint);
  return { variables, rest };
}

function variableOf(flag: string): string | undefined {
  if (/^otel-[a-z0-9-]+$/.test(flag)) return flag.toUpperCase().replaceAll('-', '_');
  return (
    SETTINGS.find((setting) => setting.flag === flag)?.variable ??
    (Object.hasOwn(SHORT, flag) ? SHORT[flag] : undefined)
  );
}

function isSwitch(flag: string): boolean {
  return SETTINGS.find((setting) => setting.flag === flag)?.kind === 'switch';
}
