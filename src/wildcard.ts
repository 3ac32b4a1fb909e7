/**
 * Whether a text matches a pattern as a whole: `*` stands for any characters, `?` for exactly one. Goes back to the last
 * `*` only, so that no pattern takes longer than its length times that of the text.
 */
export function matchesWildcard(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let resume = 0;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      resume = at;
    } else if (pattern[next] === '?' || pattern[next] === text[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++resume;
    } else return false;
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
