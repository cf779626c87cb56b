// `toolspan check`: a doctor.
import { parseArgs } from 'node:util';
import { readSettings } from '../config/settings.ts';
import {
  configFindings,
  endpointFindings,
  nodeFindings,
  serverFindings,
  variableFindings,
  type Finding,
} from './check-findings.ts';
import { numberOption } from './number-option.ts';
import { SETTING_FLAGS, takeSettings } from './settings-flags.ts';

const USAGE = `Usage: toolspan check [options] [-- <command> [args]]

Says which variables are in force, whether the collector can be reached, and, with a command, whether that server starts,
answers, keeps its stdout clean and can be observed. One line a finding, with its mend. Exit code 1 where something fails.

Options:
  --json                     one JSON object a line
  --timeout <seconds>        how long an answer of the server may take (default 10)
${SETTING_FLAGS}
  --help                     show this text
`;

/** Looks, says what it finds, and sets the exit code. */
export async function check(args: string[]): Promise<void> {
  const { variables, rest } = takeSettings(args);
  // the flags are for what is looked at here: the server has its own variables, as behind a client
  const environment = { ...process.env, ...variables };
  const separator = rest.indexOf('--');
  const { values } = parseArgs({
    args: separator < 0 ? rest : rest.slice(0, separator),
    options: { json: { type: 'boolean' }, timeout: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const seconds = numberOption('--timeout', values.timeout, { above: 0, atMost: 600 }) ?? 10;
  const say = values.json === true ? sayJson : sayLine;
  let failed = false;
  const report = (findings: readonly Finding[]): void => {
    for (const finding of findings) {
      say(finding);
      failed ||= finding.level === 'fail';
    }
  };
  report(nodeFindings());
  report(variableFindings(environment, variables));
  report(await configFindings(readSettings(environment).settings.configFile));
  report(await endpointFindings(environment));
  const [program, ...programArgs] = separator < 0 ? [] : rest.slice(separator + 1);
  if (program !== undefined) {
    report(await serverFindings({ command: program, args: programArgs, environment: process.env }, seconds * 1_000));
  }
  process.exitCode = failed ? 1 : 0;
}

function sayLine({ level, found, mend }: Finding): void {
  process.stdout.write(
    `${level.padEnd(5)} ${found.replace(/\.$/, '')}${mend === undefined ? '' : `. Mend: ${mend}`}\n`,
  );
}

function sayJson(finding: Finding): void {
  process.stdout.write(`${JSON.stringify(finding)}\n`);
}
