/** An edit script's steps: how many lines are kept, then how many old ones go and new ones come. */
interface Change {
  /** Index of the first line that goes, and of the first that comes. */
  readonly old: number;
  readonly new: number;
  readonly removed: number;
  readonly added: number;
}

const FARTHEST = 1_000;
const CONTEXT = 3;

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** How far the same lines go on from two places. */
function snake(a: readonly string[], b: readonly string[], x: number, y: number): number {
  let at = x;
  while (at < a.length && y + at - x < b.length && a[at] === b[y + at - x]) at += 1;
  return at;
}

/** Myers' greedy algorithm: the furthest points of each number of differences, or undefined beyond 1,000 of them. */
function trace(a: readonly string[], b: readonly string[]): Map<number, number>[] | undefined {
  const rounds: Map<number, number>[] = [];
  let last = new Map([[1, 0]]);
  for (let d = 0; d <= FARTHEST; d++) {
    const next = new Map<number, number>();
    rounds.push(last);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (last.get(k - 1) ?? -1) < (last.get(k + 1) ?? -1));
      const from = down ? (last.get(k + 1) ?? 0) : (last.get(k - 1) ?? 0) + 1;
      const x = snake(a, b, from, from - k);
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return rounds;
    }
    last = next;
  }
  return undefined;
}

function changesOf(a: readonly string[], b: readonly string[]): Change[] {
  const rounds = trace(a, b);
  if (!rounds) return [{ old: 0, new: 0, removed: a.length, added: b.length }];
  const steps: Change[] = [];
  let [x, y] = [a.length, b.length];
  for (let d = rounds.length - 1; d > 0; d--) {
    const last = rounds[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (last.get(k - 1) ?? -1) < (last.get(k + 1) ?? -1));
    const from = last.get(down ? k + 1 : k - 1) ?? 0;
    [x, y] = [from, from - (down ? k + 1 : k - 1)];
    steps.unshift({ old: x, new: y, removed: down ? 0 : 1, added: down ? 1 : 0 });
  }
  return steps.reduce<Change[]>(joined, []);
}

/** Adds a step to those before it; one that follows on the last becomes a part of it. */
function joined(changes: Change[], step: Change): Change[] {
  const last = changes.at(-1);
  if (last && last.old + last.removed === step.old && last.new + last.added === step.new) {
    const { removed, added } = last;
    changes[changes.length - 1] = { ...last, removed: removed + step.removed, added: added + step.added };
  } else changes.push(step);
  return changes;
}

const range = (start: number, count: number): string =>
  count === 1 ? String(start + 1) : `${count === 0 ? start : start + 1},${count}`;

const shown = (sign: string, lines: readonly string[]): string[] =>
  lines.map((line) => `${sign}${line.endsWith('\n') ? line : `${line}\n\\ No newline at end of file\n`}`);

/** One hunk of changes whose contexts touch. */
function hunk(a: readonly string[], b: readonly string[], changes: readonly Change[]): string {
  const [first, last] = [changes[0], changes.at(-1)];
  if (!first || !last) return '';
  const before = Math.min(CONTEXT, first.old);
  const end = Math.min(a.length, last.old + last.removed + CONTEXT);
  const lines: string[] = [];
  let at = first.old - before;
  for (const change of changes) {
    lines.push(...shown(' ', a.slice(at, change.old)));
    lines.push(...shown('-', a.slice(change.old, change.old + change.removed)));
    lines.push(...shown('+', b.slice(change.new, change.new + change.added)));
    at = change.old + change.removed;
  }
  lines.push(...shown(' ', a.slice(at, end)));
  const oldCount = end - (first.old - before);
  const grown = changes.reduce((sum, { added, removed }) => sum + added - removed, 0);
  const head = `@@ -${range(first.old - before, oldCount)} +${range(first.new - before, oldCount + grown)} @@\n`;
  return head + lines.join('');
}

/** The difference of two texts as `diff -u` writes it, without the names; empty when they are the same. */
export function unifiedDiff(before: string, after: string): string {
  if (before === after) return '';
  const [a, b] = [linesOf(before), linesOf(after)];
  const groups: Change[][] = [];
  for (const change of changesOf(a, b)) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    if (group && last && change.old - (last.old + last.removed) <= 2 * CONTEXT) group.push(change);
    else groups.push([change]);
  }
  return groups.map((group) => hunk(a, b, group)).join('');
}
