/** Beyond so many differences they are not looked for one by one. */
const MOST_DIFFERENCES = 1_000;
const CONTEXT = 3;

/** The difference of two texts as `diff -u` writes it, without the names; empty when they are the same. */
export async function unifiedDiff(before: string, after: string): Promise<string> {
  if (before === after) return '';
  const { createPatch } = await import('diff');
  const options = { context: CONTEXT, maxEditLength: MOST_DIFFERENCES };
  const patch = createPatch('file', before, after, undefined, undefined, options) ?? replaced(before, after);
  return patch.slice(patch.indexOf('@@ '));
}

/** All of the one text out, all of the other in. */
function replaced(before: string, after: string): string {
  const [old, next] = [linesOf('-', before), linesOf('+', after)];
  const range = (lines: readonly string[]): string => (lines.length === 0 ? '0,0' : `1,${lines.length}`);
  return `@@ -${range(old)} +${range(next)} @@\n${[...old, ...next].join('')}`;
}

const linesOf = (sign: string, text: string): string[] =>
  (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map((line) =>
    line.endsWith('\n') ? sign + line : `${sign}${line}\n\\ No newline at end of file\n`,
  );
