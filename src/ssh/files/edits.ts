import { Failure } from '../../failure.ts';

/** An exact replacement. */
export interface Edit {
  readonly old_text: string;
  readonly new_text: string;
  /** Replaces every one of them; otherwise there must be one. */
  readonly all?: boolean;
}

const occurrences = (text: string, part: string): number => text.split(part).length - 1;

/**
 * The edits done to a text one after the other. Where its lines end in CRLF and the edit's in LF, the edit is taken to
 * mean CRLF. A text that is not there, or is there more than once, is an `invalid-input` Failure that says which.
 */
export function edited(text: string, edits: readonly Edit[]): string {
  const crlf = text.includes('\r\n') && !/(^|[^\r])\n/.test(text);
  return edits.reduce((now, edit, i) => {
    const native = (part: string): string => (crlf ? part.replace(/\r?\n/g, '\r\n') : part);
    const [old, next] = [native(edit.old_text), native(edit.new_text)];
    const count = occurrences(now, old);
    if (count === 0) throw noMatch(i, edits.length, now, old);
    if (count > 1 && !edit.all) throw manyMatches(i, edits.length, count);
    return now.split(old).join(next);
  }, text);
}

const which = (i: number, of: number): string => (of === 1 ? 'old_text' : `old_text of edit ${i + 1}`);

const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();

function noMatch(i: number, of: number, text: string, old: string): Failure {
  const nearly = plain(old) !== '' && plain(text).includes(plain(old));
  return new Failure(
    'invalid-input',
    `${which(i, of)} is not in the file${nearly ? ', but it is when white space does not count' : ''}. Nothing was written.`,
    'Read the file, and copy the text exactly, with its indentation.',
  );
}

const manyMatches = (i: number, of: number, count: number): Failure =>
  new Failure(
    'invalid-input',
    `${which(i, of)} is in the file ${count} times. Nothing was written.`,
    'Give more of the lines around it, or set all to replace every one.',
  );
