// Where the files of the stack are.

/** The root of the repository, with a slash at its end. */
export const ROOT: string = new URL('../../', import.meta.url).pathname;
