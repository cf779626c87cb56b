// Addresses as they may be shown. Pure.
import { REDACTED } from './secret-text.ts';

const ADDRESS = /[a-z][a-z\d+.-]*:\/\/[^\s,"'<>]+/gi;

/** The text, and each address in it without its user, password, query and fragment. */
export function withoutCredentials(text: string): string {
  return text.replace(ADDRESS, (address) => {
    // a password with a slash in it makes no address: all before the last @ may be part of it
    const user = URL.canParse(address) ? /\/\/[^/?#]*@/ : /\/\/.*@/;
    return address.replace(user, `//${REDACTED}@`).replace(/([?#]).*$/, `$1${REDACTED}`);
  });
}
