import type { Program } from '../proc.ts';

const classes: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  cntrl: /[\0-\x1f\x7f]/,
  digit: /\d/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[\t-\r ]/,
  upper: /[A-Z]/,
};

const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i));
const named: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** The bytes of a set: octal and other escapes, ranges, classes (tr(1)). */
function expand(set: string): string[] {
  const parts = set.matchAll(/\[:(\w+):\]|(\\[0-7]{1,3}|\\?.)(?:-(\\[0-7]{1,3}|\\?.))?/gs);
  const one = (word: string): string => {
    if (/^\\[0-7]/.test(word)) return String.fromCharCode(Number.parseInt(word.slice(1), 8) & 255);
    return word.startsWith('\\') ? (named[word.slice(1)] ?? word.slice(1)) : word;
  };
  return [...parts].flatMap(([, name, first = '', last]) => {
    if (name !== undefined) return bytes.filter((byte) => classes[name]?.test(byte));
    if (last === undefined) return [one(first)];
    return bytes.slice(one(first).charCodeAt(0), one(last).charCodeAt(0) + 1);
  });
}

/** `tr [-c] [-d] [-s] SET [SET]`; the library's own knows no octal numbers. */
export const tr: Program = async (args, { stdin, out }) => {
  const flags = args.filter((arg) => /^-[cCds]+$/.test(arg)).join('');
  const [first = '', second] = args.filter((arg) => !/^-[cCds]+$/.test(arg));
  const listed = expand(Buffer.from(first).toString('latin1'));
  const from = /c/i.test(flags) ? bytes.filter((byte) => !listed.includes(byte)) : listed;
  const to = expand(Buffer.from(second ?? '').toString('latin1'));
  const translated = flags.includes('d') || second === undefined ? undefined : to;
  const squeezed = new Set(flags.includes('s') ? (second === undefined ? from : to) : []);
  let last = '';
  const give = (byte: string): string => {
    const at = from.lastIndexOf(byte);
    if (at >= 0 && flags.includes('d')) return '';
    const now = at >= 0 && translated ? (translated[Math.min(at, translated.length - 1)] ?? byte) : byte;
    if (now === last && squeezed.has(now)) return '';
    last = now;
    return now;
  };
  const text = (await stdin.all()).toString('latin1');
  out(Buffer.from([...text].map(give).join(''), 'latin1'));
  return 0;
};
