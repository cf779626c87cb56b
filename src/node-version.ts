// Which Node this needs, said in one place. Runs on any Node.

/** What is said where this Node is too old. */
export function nodeNeeded(version: string = process.versions.node): string {
  return `needs Node 22.15 or later, and this is Node ${version}`;
}

/** Whether a Node is too old for any part of this. */
export function isTooOld(version: string = process.versions.node): boolean {
  const [major, minor] = partsOf(version);
  return major < 22 || (major === 22 && minor < 15);
}

/** Whether it is a Node that this is tested with: 22.15 or later, 24, 26 or later. */
export function isSupported(version: string = process.versions.node): boolean {
  const [major] = partsOf(version);
  return !isTooOld(version) && major !== 23 && major !== 25;
}

function partsOf(version: string): [major: number, minor: number] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return [major, minor];
}
