import { matchesWildcard } from '../wildcard.ts';

/** Whether a list matches: at least one of its patterns, and none that begins with `!`. */
export function matchesAny(text: string, patterns: readonly string[]): boolean {
  const negated = patterns.filter((pattern) => pattern.startsWith('!'));
  if (negated.some((pattern) => matchesWildcard(text, pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matchesWildcard(text, pattern));
}
