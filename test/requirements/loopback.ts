// Of the ports that toolspan opens: who may come in, and who has one that is taken.
import { OWN, type Requirement } from './requirement.ts';

export const loopbackRequirements = {
  'loopback.host': {
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2025-66414',
    behaviour: 'a request that names a host other than loopback or those configured is refused',
  },
  'loopback.origin': {
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2025-49596',
    behaviour: 'a request that a page of another origin sent is refused, as are null and doubled origins',
  },
  'loopback.changes': {
    source: 'https://nvd.nist.gov/vuln/detail/CVE-2025-49596',
    behaviour:
      'where only its own pages may, a page of another origin, be it of this machine, changes nothing unless it is allowed',
  },
  'loopback.token': { source: OWN, behaviour: 'the token of an address is swapped for a cookie, or sent as a header' },
  'loopback.listen': { source: OWN, behaviour: 'a port is opened on both loopback addresses, or not at all' },
  'loopback.holder': { source: OWN, behaviour: 'whoever holds a port that is taken is named' },
} as const satisfies Record<string, Requirement>;
