/** Never between the two halves of a surrogate pair. */
const wholeCharacters = (text: string, index: number): number => {
  const unit = text.charCodeAt(index - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? index - 1 : index;
};

type Cost = (text: string) => number;

/** How many characters off one end of `text` cost at most `room`. */
function fitting(text: string, room: number, part: (length: number) => string, cost: Cost): number {
  let length = Math.min(text.length, Math.max(0, Math.floor(room)));
  for (let taken = cost(part(length)); length > 0 && taken > room; taken = cost(part(length))) {
    length = Math.floor((length * room) / taken);
  }
  return length;
}

/**
 * Head and tail of `text`, the two of them for at most `room` as `cost` counts (no character costs less than 1), and
 * between them what `mark` says of the number of characters that are missing.
 */
export function headAndTail(
  text: string,
  room: number,
  mark: (missing: number) => string,
  cost: Cost = (part) => part.length,
): string {
  const head = fitting(text, room * 0.6, (length) => text.slice(0, length), cost);
  const tail = fitting(text, room * 0.4, (length) => text.slice(text.length - length), cost);
  const end = wholeCharacters(text, head);
  const start = wholeCharacters(text, text.length - tail);
  return `${text.slice(0, end)}${mark(start - end)}${text.slice(start)}`;
}

/** `text` in about `length` characters: where it is longer, a mark in its middle says how much is not shown. */
export const shortened = (text: string, length: number, gap = ' '): string =>
  text.length <= length
    ? text
    : headAndTail(text, length, (missing) => `${gap}[… ${missing} characters not shown …]${gap}`);
