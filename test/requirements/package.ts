// Of the package: its names, entries, types, samples and tarball.
import { OWN, type Requirement } from './requirement.ts';

export const packageRequirements = {
  'names.conventions': {
    source: 'https://www.npmjs.com/package/@opentelemetry/semantic-conventions',
    behaviour: 'copied names equal those of the conventions package',
  },
  'names.documented': { source: OWN, behaviour: 'docs/telemetry.md lists exactly the names of our own' },
  'package.surface': { source: OWN, behaviour: 'the entries export what is listed, and no more' },
  'package.clean-root': { source: OWN, behaviour: 'importing toolspan loads no SDK, exporter, zod or MCP package' },
  'package.types': { source: OWN, behaviour: 'the types hold with either MCP SDK absent' },
  'package.version': { source: OWN, behaviour: 'the version in code is that of the package' },
  'package.readme': { source: OWN, behaviour: 'the samples of the README compile and run' },
  'package.installed': {
    source: OWN,
    behaviour: 'the packed tarball works in a new project, also with an older OpenTelemetry',
  },
  'package.peers-api': {
    source: OWN,
    behaviour: 'an application with @opentelemetry/api 1.9 and SDK 2.x gets the same spans',
  },
} as const satisfies Record<string, Requirement>;
