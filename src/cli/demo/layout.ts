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

/** Lines of an answer: indented, each cut at `width`, the middle left out when there are many. */
export function shown(text: string, width: number, indent: string): string {
  const lines = text.trimEnd().split('\n');
  const half = LONGEST_ANSWER / 2;
  const kept =
    lines.length <= LONGEST_ANSWER
      ? lines
      : [...lines.slice(0, half), `… ${lines.length - LONGEST_ANSWER} more lines …`, ...lines.slice(-half)];
  return kept.map((line) => cut(indent + line, width)).join('\n');
}

const cut = (line: string, width: number): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);

/** `380 ms`, `3.1 s`. */
export const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
