import { isUtf8 } from 'node:buffer';

/** Whether a name can be read in a line as it is: no control or hidden character, no quote, no space at its ends, no arrow. */
const isPlain = (name: string): boolean => /^[^\p{C}\u2028\u2029"\\]+$/u.test(name) && !/^\s|\s$| -> /.test(name);

const writtenOut = (char: string): string => {
  if (char === '"' || char === '\\') return `\\${char}`;
  if (char === '\n') return '\\n';
  return /[\p{C}\u2028\u2029]/u.test(char) ? `\\u{${char.codePointAt(0)?.toString(16)}}` : char;
};

/** A byte of a name that is not UTF-8. */
const byteShown = (byte: number): string =>
  byte > 0x7e ? `\\x${byte.toString(16)}` : writtenOut(String.fromCharCode(byte));

/** A name as it is, or in quotes with escapes where it could be taken for something else; different for each name. */
export function nameShown(name: Buffer): string {
  if (!isUtf8(name)) return `"${[...name].map(byteShown).join('')}"`;
  const text = name.toString();
  return isPlain(text) ? text : `"${[...text].map(writtenOut).join('')}"`;
}
