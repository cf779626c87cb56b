// Of the stack: its configuration, dashboards, alerts, and what becomes of telemetry when parts of it fail.
import { OWN, type Requirement } from './requirement.ts';

export const stackRequirements = {
  'stack.compose-file': {
    source: OWN,
    behaviour: 'images are pinned, ports are on loopback, and every service has a health check and a memory limit',
  },
  'stack.rules': {
    source: 'https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/',
    behaviour: 'each alert has a runbook, and unit tests in which it fires and goes quiet',
  },
  'stack.generated': { source: OWN, behaviour: 'the committed dashboards are those that their code makes' },
  'stack.names': {
    source: OWN,
    behaviour: 'dashboards, rules and collector use only names that are documented, and data sources that are there',
  },
  'stack.shipped': { source: OWN, behaviour: 'the package brings every file that the stack needs' },
  'stack.command': { source: OWN, behaviour: 'toolspan stack runs Compose on these files, and says what is missing' },
} as const satisfies Record<string, Requirement>;
