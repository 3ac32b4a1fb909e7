/** A value of an attribute. */
export type HclValue = string | number | boolean | readonly string[];

/** Members of a block in order: attributes, and blocks that have no labels. What is undefined is left out. */
export type HclBody = readonly (readonly [name: string, value: HclValue | HclBlock | undefined])[];

/** A block within another one. */
export class HclBlock {
  constructor(readonly body: HclBody) {}
}

/** A block within another one, left out when all of its members are. */
export const block = (...body: HclBody): HclBlock | undefined =>
  body.some(([, value]) => value !== undefined) ? new HclBlock(body) : undefined;

/**
 * A quoted string of HCL (hashicorp/hcl, hclsyntax/spec.md). The brace of `${` and `%{` is written by its number:
 * whether `$${` is an escape depends on what is before it, a number never begins a template. So is what cannot be seen.
 */
export const quoted = (text: string): string =>
  `"${text
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replace(/(?<=[$%])\{/g, '\\u007b')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, numbered)}"`;

function numbered(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  return hex.length > 4 ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`;
}

function written(value: HclValue): string {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'object' ? `[${value.map(quoted).join(', ')}]` : String(value);
}

/** The lines of a body, each indented by that much. */
export function hclLines(body: HclBody, indent = '  '): string[] {
  const lines = body.flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (!(value instanceof HclBlock)) return [`${indent}${name} = ${written(value)}`];
    return ['', `${indent}${name} {`, ...hclLines(value.body, `${indent}  `), `${indent}}`];
  });
  return lines[0] === '' ? lines.slice(1) : lines;
}
