// A SQLite file beside the store: the bodies of requests as they came, so that a restart takes them again. A body goes
// when what it brought has gone from the store.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { complainAboutFailure } from '../../diagnostics.ts';
import type { Signal } from '../otlp/schema.ts';
import { MalformedError } from '../otlp/wire.ts';
import { ArchiveError } from './archive-error.ts';
import { METRIC_SHARE, type Store } from './store.ts';

const SCHEMA_VERSION = 1;
const APPLICATION_ID = 0x746f6f6c;
const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];
// below the bounds of the store some room, so that not every body has to look for an older one
const ROOM = 0.9;

/** What the file had. */
export interface Restored {
  /** Requests that the store took again. */
  readonly restored: number;
  /** Requests that could not be read, and went from the file. */
  readonly unreadable: number;
}

export class Archive {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;
  readonly #store: Store;
  // bytes of the bodies, by the number of their signal
  readonly #bytes = SIGNALS.map(() => 0);
  #failed = false;

  /**
   * Opens or makes the file.
   *
   * @throws {ArchiveError} another program's database, one of a newer version, one that is in use, or one that is damaged.
   */
  constructor(file: string, store: Store) {
    this.#file = file;
    this.#store = store;
    this.#database = open(file);
    [this.#insert, this.#prune] = orSaid(file, () => [
      this.#database.prepare('INSERT INTO body (signal, received_ms, segment, bytes) VALUES (?, ?, ?, ?)'),
      this.#database.prepare('DELETE FROM body WHERE signal = ? AND segment < ? RETURNING length(bytes) AS bytes'),
    ]);
  }

  /**
   * Puts what the file has into the store.
   *
   * @throws {ArchiveError} a file that is damaged, or that cannot be written.
   */
  restore(): Restored {
    return orSaid(this.#file, () => this.#restore());
  }

  /** Keeps a body that the store has taken. */
  append(signal: Signal, body: Buffer): void {
    this.#attempt(() => {
      const number = SIGNALS.indexOf(signal);
      this.#insert.run(number, this.#store.now(), this.#segmentOf(signal), body);
      this.#count(number, body.length);
      for (const { bytes } of this.#prune.all(number, this.#firstSegmentOf(signal)))
        this.#count(number, -Number(bytes));
      this.#bound();
    });
  }

  /** Forgets everything. */
  clear(): void {
    this.#attempt(() => {
      this.#database.exec('DELETE FROM body');
      this.#bytes.fill(0);
    });
  }

  close(): void {
    this.#attempt(() => this.#database.close());
  }

  #restore(): Restored {
    const oldest = this.#store.now() - this.#store.maxAgeMs;
    this.#database.prepare('DELETE FROM body WHERE received_ms < ?').run(oldest);
    const sizes = this.#database.prepare('SELECT signal, sum(length(bytes)) AS bytes FROM body GROUP BY signal').all();
    for (const { signal, bytes } of sizes) this.#count(Number(signal), Number(bytes));
    this.#bound();
    const rows = this.#database.prepare('SELECT id, signal, received_ms, bytes FROM body ORDER BY id').iterate();
    const moved: [segment: number, id: number][] = [];
    const unreadable: [id: number, signal: number, bytes: number][] = [];
    for (const { id, signal, received_ms: receivedMs, bytes } of rows) {
      const [name, body] = [SIGNALS[Number(signal)], Buffer.from(bytes as Uint8Array)];
      if (name !== undefined && this.#takes(name, body, Number(receivedMs))) {
        moved.push([this.#segmentOf(name), Number(id)]);
      } else unreadable.push([Number(id), Number(signal), body.length]);
    }
    const move = this.#database.prepare('UPDATE body SET segment = ? WHERE id = ?');
    const drop = this.#database.prepare('DELETE FROM body WHERE id = ?');
    this.#database.exec('BEGIN');
    for (const [segment, id] of moved) move.run(segment, id);
    for (const [id, signal, bytes] of unreadable) {
      drop.run(id);
      this.#count(signal, -bytes);
    }
    this.#database.exec('COMMIT');
    this.#compact();
    return { restored: moved.length, unreadable: unreadable.length };
  }

  #takes(signal: Signal, body: Buffer, receivedMs: number): boolean {
    try {
      this.#store.add(signal, body, receivedMs);
      return true;
    } catch (error) {
      if (error instanceof MalformedError) return false;
      throw error;
    }
  }

  #count(signal: number, bytes: number): void {
    this.#bytes[signal] = (this.#bytes[signal] ?? 0) + bytes;
  }

  // What is little in memory may be much in bodies: one resource is in each, and points are numbers there.
  #bound(): void {
    const { maxBytes } = this.#store;
    const metrics = SIGNALS.indexOf('metrics');
    this.#dropOldest([metrics], maxBytes * METRIC_SHARE);
    this.#dropOldest(
      SIGNALS.map((_, signal) => signal),
      maxBytes,
    );
  }

  #dropOldest(signals: readonly number[], maxBytes: number): void {
    const held = () => signals.reduce((sum, signal) => sum + (this.#bytes[signal] ?? 0), 0);
    if (held() <= maxBytes) return;
    const among = signals.join(', ');
    const rows = this.#database
      .prepare(`SELECT id, signal, length(bytes) AS bytes FROM body WHERE signal IN (${among}) ORDER BY id`)
      .iterate();
    let last = 0;
    for (const { id, signal, bytes } of rows) {
      this.#count(Number(signal), -Number(bytes));
      last = Number(id);
      if (held() <= maxBytes * ROOM) break;
    }
    this.#database.prepare(`DELETE FROM body WHERE signal IN (${among}) AND id <= ?`).run(last);
  }

  // A file does not shrink by itself.
  #compact(): void {
    const { page_count: pages = 0 } = this.#database.prepare('PRAGMA page_count').get() ?? {};
    const { freelist_count: free = 0 } = this.#database.prepare('PRAGMA freelist_count').get() ?? {};
    if (Number(free) > Number(pages) / 2) this.#database.exec('VACUUM');
  }

  // Spans and records go with their segment. Points of metrics have none: they go by the hour.
  #segmentOf(signal: Signal): number {
    if (signal === 'metrics') return Math.floor(this.#store.now() / 3_600_000);
    return (signal === 'traces' ? this.#store.spans : this.#store.logs).segments.at(-1)?.number ?? 0;
  }

  #firstSegmentOf(signal: Signal): number {
    if (signal === 'metrics') return Math.floor((this.#store.now() - this.#store.maxAgeMs) / 3_600_000);
    return (signal === 'traces' ? this.#store.spans : this.#store.logs).segments[0]?.number ?? 0;
  }

  // A full disk must not cost what is in memory.
  #attempt(work: () => unknown): void {
    if (this.#failed) return;
    try {
      work();
    } catch (error) {
      this.#failed = true;
      complainAboutFailure('keeping telemetry in the --db file', error);
    }
  }
}

// SQLite says what it found, not what to do about it.
function orSaid<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR')) throw error;
    throw new ArchiveError(`${file} cannot be used (${error.message}); move it away, or name another file`, {
      cause: error,
    });
  }
}

function open(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    // one viewer a file: two would each delete what the other has
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const { application_id: owner = 0 } = database.prepare('PRAGMA application_id').get() ?? {};
    const { user_version: version = 0 } = database.prepare('PRAGMA user_version').get() ?? {};
    const { tables = 0 } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() ?? {};
    if (owner !== APPLICATION_ID && tables !== 0) {
      throw new ArchiveError(`${file} is a database of another program; name a file that does not exist yet`);
    }
    if (Number(version) > SCHEMA_VERSION) {
      throw new ArchiveError(`${file} was written by a newer toolspan; use that one, or another file`);
    }
    database.exec(`
      PRAGMA application_id = ${APPLICATION_ID};
      PRAGMA user_version = ${SCHEMA_VERSION};
      CREATE TABLE IF NOT EXISTS body (
        id INTEGER PRIMARY KEY, signal INTEGER NOT NULL, received_ms INTEGER NOT NULL,
        segment INTEGER NOT NULL, bytes BLOB NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS body_segment ON body (signal, segment);
    `);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof ArchiveError) throw error;
    const reason = error instanceof Error ? error.message : 'it cannot be opened';
    throw new ArchiveError(`${file}: ${reason}; name a file that can be written and that no other viewer uses`, {
      cause: error,
    });
  }
}
