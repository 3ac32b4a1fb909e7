/** The first line of a settings file that the set-up made. */
export const HEADING = '# Settings of proxmox-ssh-mcp. This file holds a secret.\n';
/** Whether the set-up made this settings file. */
export const isOwn = (text: string): boolean => text.startsWith(HEADING);

/** A value as dotenv reads it back: in quotes that it does not have in it. */
function quoted(value: string): string {
  if (/^[\w./:@!,~+-]+$/.test(value)) return value;
  const mark = ["'", '"', '`'].find((one) => !value.includes(one)) ?? "'";
  return `${mark}${value}${mark}`;
}

/**
 * The text of a settings file with these values: a name that has a line keeps its place, `undefined` takes its line out,
 * new ones come at the end. Comments and all other lines stay.
 */
export function withSettings(text: string, values: Readonly<Record<string, string | undefined>>): string {
  const left = new Map(Object.entries(values));
  const lines = text.split('\n').flatMap((line) => {
    const name = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)\s*=/.exec(line)?.[1];
    if (name === undefined || !(name in values)) return [line];
    const value = left.get(name);
    left.delete(name);
    return value === undefined ? [] : [`${name}=${quoted(value)}`];
  });
  const body = lines.join('\n').replace(/\n*$/, '');
  const added = [...left].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoted(value)}`]));
  return `${[...(body === '' ? [] : [body]), ...added].join('\n')}\n`;
}
