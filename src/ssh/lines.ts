const LONGEST_BEGUN_LINE = 16_384;

/** Tells the newest whole line of a text that comes in pieces: half a line may hold half a secret. */
export function wholeLines(tell: (line: string) => void): (text: string) => void {
  let begun = '';
  return (text) => {
    const lines = (begun + text).split(/[\r\n]+/);
    begun = (lines.pop() ?? '').slice(0, LONGEST_BEGUN_LINE);
    const newest = lines.findLast((line) => line.trim() !== '');
    if (newest !== undefined) tell(newest);
  };
}
