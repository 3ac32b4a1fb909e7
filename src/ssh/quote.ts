import { Failure } from '../failure.ts';

/**
 * One word of a command line, in POSIX single quotes, which bash, dash, zsh and busybox read alike.
 * `invalid-input` when the text cannot be carried (see `refuseUncarriable`).
 */
export function quote(word: string): string {
  refuseUncarriable(word, 'A word of the command');
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** `invalid-input` for what is no user name anywhere, and might be an option or more than a word. */
export function refuseUserName(user: string | undefined): void {
  if (user === undefined || /^[A-Za-z_][\w.-]{0,63}\$?$/.test(user)) return;
  throw new Failure('invalid-input', `"${user.slice(0, 100)}" is no user name.`, 'Give the name of a user there.');
}

/** `invalid-input` for text that no shell or no UTF-8 can hold: NUL ends a word, a lone surrogate has no bytes. */
export function refuseUncarriable(text: string, what: string): void {
  if (text.includes('\0')) {
    throw new Failure(
      'invalid-input',
      `${what} holds a NUL character, which no shell can carry.`,
      'Take it out, or send binary data on stdin.',
    );
  }
  if (/\p{Surrogate}/u.test(text)) {
    throw new Failure(
      'invalid-input',
      `${what} holds half of a surrogate pair, which has no UTF-8 form.`,
      'Send well-formed text.',
    );
  }
}
