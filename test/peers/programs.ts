// Where the programs of other ecosystems are, once they are installed.

const CACHE = new URL('../../.cache/peers/', import.meta.url);

export const PYTHON: URL = new URL('python/', CACHE);
export const GO: URL = new URL('go/', CACHE);

export const python: string = new URL('bin/python', PYTHON).pathname;

export const script = (name: string): string => new URL(`python/${name}`, import.meta.url).pathname;
export const binary = (name: string): string => new URL(`bin/${name}`, GO).pathname;
