// A database file that cannot be used. By itself, so that whoever asks for it does not load SQLite.

/** The file is not one of ours, or is in use; the message says what to do. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
