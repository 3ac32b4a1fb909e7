import { streams } from './syntax.ts';

/** Where a shell for a session writes: it is started with its outputs on the descriptors 7 and 6. */
const outputs: readonly (readonly [RegExp, string])[] = [
  [/ 7>&- 6>&-/g, ''],
  [/2>&6/g, `2>>${streams.folder}${streams.err}`],
  [/>&6/g, `>>${streams.folder}${streams.err}`],
  [/>&7/g, `>>${streams.folder}${streams.out}`],
];

/**
 * A command line as the interpreter can run it, which has no such descriptors; undefined while a quote is open in it.
 * What is in single quotes stays as it is.
 */
export function lineOf(text: string): string | undefined {
  let line = '';
  let plain = '';
  const flush = () => {
    line += outputs.reduce((now, [pattern, by]) => now.replace(pattern, by), plain);
    plain = '';
  };
  for (let at = 0; at < text.length; at++) {
    const c = text.charAt(at);
    if (c === "'") {
      const end = text.indexOf("'", at + 1);
      if (end < 0) return undefined;
      flush();
      line += text.slice(at, end + 1);
      at = end;
    } else if (c === '"') {
      const end = closing(text, at + 1);
      if (end === undefined) return undefined;
      plain += text.slice(at, end + 1);
      at = end;
    } else if (c === '\\') plain += text.slice(at, ++at + 1);
    else plain += c;
  }
  flush();
  return line;
}

/** Where a double quote is closed that was opened before `from`. */
function closing(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    if (text.charAt(at) === '\\') at++;
    else if (text.charAt(at) === '"') return at;
  }
  return undefined;
}

/** What a shell leaves to the one that goes on in its place: functions are lost. */
export interface Left {
  env: Readonly<Record<string, string>>;
  cwd: string;
}

/** The script of a shell that runs one line after the other; the first word gives the next line, the second tells the end. */
export const stayingScript = (next: string, over: string): string =>
  `while PSM_LINE=$(${next}); do eval "$PSM_LINE"; done; ${over}`;
