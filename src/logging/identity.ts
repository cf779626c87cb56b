// Who calls: known from what the transport has verified, shown only as far as the server's owner wants it.
import { isRecord } from '../protocol/message.ts';
import { cut } from '../redaction/cut.ts';
import { identityKeySetting } from '../settings.ts';
import { MAX_NAME } from '../telemetry/text.ts';
import type { CallUser } from './log-record.ts';

/**
 * What telemetry shows of the caller.
 *
 * - `dropped`: nothing.
 * - `hashed`: a keyed hash: calls of one caller can be told to be of one, and not whose. The same in all processes that
 *   have the same `TOOLSPAN_IDENTITY_KEY`; without it, other in each process.
 * - `raw`: as it is.
 */
export type Identity = 'dropped' | 'hashed' | 'raw';

/** The choices. */
export const IDENTITIES: readonly Identity[] = ['dropped', 'hashed', 'raw'];

const HASH_CHARACTERS = 16;

let key: string | undefined;

/** The caller as it may be shown; undefined where there is none, or it may not be. */
export function userOf(authInfo: unknown, identity: Identity): CallUser | undefined {
  if (identity === 'dropped') return undefined;
  const id = subjectOf(authInfo);
  if (id === undefined) return undefined;
  return identity === 'raw' ? { id: cut(id, MAX_NAME), hashed: false } : { id: hashOf(id), hashed: true };
}

// The subject of the token where the verifier keeps it, else the OAuth client. The token itself is never looked at.
function subjectOf(authInfo: unknown): string | undefined {
  if (!isRecord(authInfo)) return undefined;
  const extra = isRecord(authInfo['extra']) ? authInfo['extra'] : {};
  const subject = extra['sub'] ?? extra['userId'] ?? authInfo['clientId'];
  return typeof subject === 'string' && subject !== '' ? subject : undefined;
}

function hashOf(id: string): string {
  // loaded by the first who needs it
  const { createHmac, randomBytes } = process.getBuiltinModule('node:crypto');
  key ??= identityKeySetting() ?? randomBytes(32).toString('hex');
  return createHmac('sha256', key).update(id).digest('hex').slice(0, HASH_CHARACTERS);
}
