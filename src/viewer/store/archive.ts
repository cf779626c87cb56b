// A SQLite file beside the store: the bodies of requests as they came, so that a restart takes them again. A body goes
// when what it brought has gone from the store.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { complainAboutFailure } from '../../diagnostics.ts';
import type { Signal } from '../otlp/schema.ts';
import { ArchiveError } from './archive-error.ts';
import type { Store } from './store.ts';

const SCHEMA_VERSION = 1;
const APPLICATION_ID = 0x746f6f6c;
const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

export class Archive {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #prune: StatementSync;
  readonly #store: Store;
  #failed = false;

  /**
   * Opens or makes the file.
   *
   * @throws {ArchiveError} another program's database, one of a newer version, or one that is in use.
   */
  constructor(file: string, store: Store) {
    this.#store = store;
    this.#database = open(file);
    this.#insert = this.#database.prepare('INSERT INTO body (signal, received_ms, segment, bytes) VALUES (?, ?, ?, ?)');
    this.#prune = this.#database.prepare('DELETE FROM body WHERE signal = ? AND segment < ?');
  }

  /** Puts what the file has into the store; answers how many requests that were. */
  restore(): number {
    const rows = this.#database
      .prepare('SELECT id, signal, received_ms, bytes FROM body WHERE received_ms >= ? ORDER BY id')
      .iterate(this.#store.now() - this.#store.maxAgeMs);
    const move = this.#database.prepare('UPDATE body SET segment = ? WHERE id = ?');
    let count = 0;
    const moved: [number, number][] = [];
    for (const { id, signal, received_ms: receivedMs, bytes } of rows) {
      const name = SIGNALS[Number(signal)];
      if (name === undefined || !(bytes instanceof Uint8Array)) continue;
      this.#store.add(name, Buffer.from(bytes), Number(receivedMs));
      moved.push([this.#segmentOf(name), Number(id)]);
      count++;
    }
    this.#attempt(() => {
      this.#database.exec('BEGIN');
      for (const [segment, id] of moved) move.run(segment, id);
      this.#database.prepare('DELETE FROM body WHERE received_ms < ?').run(this.#store.now() - this.#store.maxAgeMs);
      this.#database.exec('COMMIT');
    });
    return count;
  }

  /** Keeps a body that the store has taken. */
  append(signal: Signal, body: Buffer): void {
    this.#attempt(() => {
      const segment = this.#segmentOf(signal);
      this.#insert.run(SIGNALS.indexOf(signal), this.#store.now(), segment, body);
      this.#prune.run(SIGNALS.indexOf(signal), this.#firstSegmentOf(signal));
    });
  }

  /** Forgets everything. */
  clear(): void {
    this.#attempt(() => this.#database.exec('DELETE FROM body'));
  }

  close(): void {
    this.#attempt(() => this.#database.close());
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
