import type { Guest } from '../../pve/guests.ts';

/** Letters, digits and `._-` of a text, none of these marks first; `otherwise` when nothing is left. */
export const safeName = (text: string, otherwise: string): string =>
  text.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[._-]+/, '') || otherwise;

/** As `safeName`, in the form of an identifier: a letter, then letters, digits and `_`. */
export const safeIdentifier = (text: string, otherwise: string): string =>
  text.replace(/[^A-Za-z0-9_]+/g, '_').replace(/^(?![A-Za-z])/, `${otherwise}_`);

/** A name for each guest that no other one has and that is none of `others`: its own, else with its VMID. */
export function aliases(
  guests: readonly Guest[],
  safe: (text: string, otherwise: string) => string,
  others: readonly string[] = [],
): ReadonlyMap<Guest, string> {
  const wanted = guests.map((guest) => ({ guest, name: safe(guest.name, 'guest') }));
  const often = new Map(others.map((name) => [safe(name, 'node').toLowerCase(), 1]));
  for (const { name } of wanted) often.set(name.toLowerCase(), (often.get(name.toLowerCase()) ?? 0) + 1);
  const taken = new Set(often.keys());
  const alone = ({ guest, name }: (typeof wanted)[number]): string => {
    if (often.get(name.toLowerCase()) === 1) return name;
    let own = `${name}_${guest.vmid}`;
    while (taken.has(own.toLowerCase())) own += '_';
    taken.add(own.toLowerCase());
    return own;
  };
  return new Map(wanted.map((one) => [one.guest, alone(one)]));
}
