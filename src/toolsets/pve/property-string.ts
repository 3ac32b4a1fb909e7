/** A value such as `virtio=BC:24:11:…,bridge=vmbr0,tag=20`: its parts in order; one without a name has the name ''. */
export type Parts = ReadonlyMap<string, string>;

export const parseParts = (text: string): Parts =>
  new Map(
    text
      .split(',')
      .filter((part) => part !== '')
      .map((part) => {
        const at = part.indexOf('=');
        return at < 0 ? ['', part] : [part.slice(0, at), part.slice(at + 1)];
      }),
  );

export const printParts = (parts: Parts): string =>
  [...parts].map(([name, value]) => (name === '' ? value : `${name}=${value}`)).join(',');

/** The parts with some of them replaced; `null` takes one out, `undefined` leaves it as it is. */
export function withParts(parts: Parts, changes: Readonly<Record<string, string | null | undefined>>): Parts {
  const next = new Map(parts);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) next.delete(name);
    else if (value !== undefined) next.set(name, value);
  }
  return next;
}
