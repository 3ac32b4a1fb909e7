const LONGEST_ANSWER = 24;

/** Breaks text at spaces into lines of at most `width` characters, the first line and the others indented. */
export function wrapped(text: string, width: number, indent: string, others = indent): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const empty = line === indent || line === others;
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = others + word;
    } else {
      line += empty ? word : ` ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** An answer, indented: its first line whole, the others cut at `width` or `whole` too, the middle left out when there are many. */
export function shown(text: string, width: number, indent: string, whole = false): string {
  const fit = (line: string): string =>
    whole ? wrapped(line, width, indent, `${indent}  `) : cut(indent + line, width);
  const [headline = '', ...lines] = text.trimEnd().split('\n');
  const half = LONGEST_ANSWER / 2;
  const kept =
    lines.length <= LONGEST_ANSWER
      ? lines
      : [...lines.slice(0, half), `… ${lines.length - LONGEST_ANSWER} more lines …`, ...lines.slice(-half)];
  return [wrapped(headline, width, indent), ...kept.map(fit)].join('\n');
}

const cut = (line: string, width: number): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);

/** `380 ms`, `3.1 s`. */
export const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
