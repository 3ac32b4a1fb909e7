/** What a pattern of ssh_config(5) (`*` any characters, `?` exactly one) matches, as a regular expression. */
const compiled = new Map<string, RegExp>();
const MOST_COMPILED = 10_000;

/** Whether the text matches the pattern as a whole; letters count as they are. */
export function matches(text: string, pattern: string): boolean {
  let regex = compiled.get(pattern);
  if (!regex) {
    const source = pattern
      .replace(/[.+^${}()|[\]\\/-]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replaceAll('?', '.');
    regex = new RegExp(`^${source}$`, 's');
    if (compiled.size >= MOST_COMPILED) compiled.clear();
    compiled.set(pattern, regex);
  }
  return regex.test(text);
}

/** Whether a list matches: at least one of its patterns, and none that begins with `!`. */
export function matchesAny(text: string, patterns: readonly string[]): boolean {
  const negated = patterns.filter((pattern) => pattern.startsWith('!'));
  if (negated.some((pattern) => matches(text, pattern.slice(1)))) return false;
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(text, pattern));
}
