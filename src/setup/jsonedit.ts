import { isDeepStrictEqual } from 'node:util';
import { findNodeAtLocation, type Node, parseTree } from 'jsonc-parser';
import { Failure } from '../failure.ts';

type Members = Record<string, unknown>;

/** `misconfigured` for a text that is no JSON object, because nothing can be changed in it without harm. */
export function parseObject(text: string, file: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(withoutMark(text));
  } catch (cause) {
    throw notUsable(file, `is not valid JSON: ${(cause as Error).message}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Members;
  throw notUsable(file, 'holds no JSON object');
}

const notUsable = (file: string, why: string): Failure =>
  new Failure(
    'misconfigured',
    `${file} ${why}.`,
    'Nothing was changed in it. Correct it, or move it away, and try again.',
  );

/**
 * The text with the member at `path` set, `undefined` taking it out; every byte of the other members stays as it is.
 * `misconfigured` when the text has a name on that path more than once.
 */
export function withMember(text: string, file: string, path: readonly string[], value: unknown): string {
  const before = parseObject(text, file);
  const body = withoutMark(text);
  const mark = text.slice(0, text.length - body.length);
  const edited = mark + edit(body, parseTree(body) as Node, path, value);
  if (isDeepStrictEqual(parseObject(edited, file), changed(before, path, value))) return edited;
  throw notUsable(file, `has "${path.join('.')}" in it more than once`);
}

/** A byte order mark, which JSON.parse does not take. */
const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

function changed(members: Members, [name = '', ...rest]: readonly string[], value: unknown): Members {
  const { [name]: old, ...others } = members;
  if (rest.length > 0) return { ...others, [name]: changed((old ?? {}) as Members, rest, value) };
  return value === undefined ? others : { ...others, [name]: value };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const endOf = ({ offset, length }: Node): number => offset + length;
const spliced = (text: string, { from, to }: Span, by: string): string => text.slice(0, from) + by + text.slice(to);

function edit(text: string, root: Node, path: readonly string[], value: unknown): string {
  const there = findNodeAtLocation(root, [...path]);
  if (value === undefined) return there?.parent ? spliced(text, withComma(there.parent), '') : text;
  if (there) return spliced(text, { from: there.offset, to: endOf(there) }, written(value, text, path.length));
  const name = path.at(-1) ?? '';
  const outer = findNodeAtLocation(root, path.slice(0, -1));
  // A member that is to hold it is made first, with it inside.
  if (!outer) return edit(text, root, path.slice(0, -1), { [name]: value });
  return inserted(text, outer, `${JSON.stringify(name)}: ${written(value, text, path.length)}`, path.length);
}

/** A member with the comma that sets it apart, and the space beside that comma. */
function withComma(property: Node): Span {
  const siblings = property.parent?.children ?? [];
  const at = siblings.indexOf(property);
  const [previous, next] = [siblings[at - 1], siblings[at + 1]];
  if (previous) return { from: endOf(previous), to: endOf(property) };
  if (next) return { from: property.offset, to: next.offset };
  return property.parent ? { from: property.parent.offset + 1, to: endOf(property.parent) - 1 } : { from: 0, to: 0 };
}

/** After the last member, set apart as that one is; a single one or none gives no example, but for the indentation. */
function inserted(text: string, object: Node, member: string, depth: number): string {
  const last = object.children?.at(-1);
  const newLine = `${eolOf(text)}${indentOf(text).repeat(depth)}`;
  if (!last) {
    const inside = `${newLine}${member}${eolOf(text)}${indentOf(text).repeat(depth - 1)}`;
    return spliced(text, { from: object.offset + 1, to: endOf(object) - 1 }, inside);
  }
  const previous = object.children?.at(-2);
  const space = text.slice(previous ? endOf(previous) : object.offset + 1, last.offset).replace(',', '');
  return spliced(text, { from: endOf(last), to: endOf(last) }, `,${space}${member}`);
}

/** A value as the text would have it at that depth: on lines of its own when the text has lines. */
function written(value: unknown, text: string, depth: number): string {
  if (!/\n\s*\S/.test(text.trim())) return JSON.stringify(value);
  const lines = JSON.stringify(value, null, indentOf(text)).split('\n');
  return lines.join(`${eolOf(text)}${indentOf(text).repeat(depth)}`);
}

/** As the first indented line has it. */
const indentOf = (text: string): string => /\n([ \t]+)\S/.exec(text)?.[1] ?? '  ';
const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');
