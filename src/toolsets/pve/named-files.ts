import { Failure } from '../../failure.ts';
import { nearestTo } from '../../pve/nearest.ts';
import type { Volume } from './volumes.ts';

/** `debian-13-standard_13.1-2_amd64.tar.zst` of `local:vztmpl/debian-13-standard_13.1-2_amd64.tar.zst`. */
export const fileOf = (volid: string): string => volid.slice(Math.max(volid.lastIndexOf('/'), volid.indexOf(':')) + 1);

const words = (text: string): string[] =>
  text
    .toLowerCase()
    .split(/[-_\s]+/)
    .filter((word) => word !== '');

/** `ubuntu 24` stands in `ubuntu-24.04-standard_…` from word 0 on; `debian-1` does not stand in `debian-13-…`. */
const standsAt = (own: readonly string[], wanted: readonly string[], at: number): boolean =>
  wanted.every((word, i) => own[at + i] === word || own[at + i]?.startsWith(`${word}.`));

const collator = new Intl.Collator('en', { numeric: true });

/**
 * The files that `wanted` names, newest version first: the one of that very name, else those that begin with its words,
 * else those that hold them.
 */
export function filesNamed<T>(files: readonly T[], nameOf: (file: T) => string, wanted: string): T[] {
  const sorted = [...files].sort((a, b) => collator.compare(nameOf(b), nameOf(a)));
  const exact = sorted.filter((file) => nameOf(file) === wanted);
  if (exact.length > 0) return exact;
  const asked = words(wanted);
  if (asked.length === 0) return [];
  const begun = sorted.filter((file) => standsAt(words(nameOf(file)), asked, 0));
  if (begun.length > 0) return begun;
  return sorted.filter((file) => {
    const own = words(nameOf(file));
    return own.some((_, at) => standsAt(own, asked, at));
  });
}

/** A file by its name, and where it is: each node may have it on another storage. */
export interface NamedFile {
  readonly file: string;
  /** Bytes, as far as they are known. */
  readonly size?: number;
  readonly volidOn: (node: string) => string | undefined;
}

/** The newest of the volumes that `wanted` names, be it by volume id or by name; undefined when there is none. */
export function fileCalled(volumes: readonly Volume[], wanted: string): NamedFile | undefined {
  const nameOf = ({ volid }: Volume): string => (wanted.includes(':') ? volid : fileOf(volid));
  const [best] = filesNamed(volumes, nameOf, wanted);
  if (best === undefined) return undefined;
  const same = [best, ...volumes.filter(({ volid }) => fileOf(volid) === fileOf(best.volid))];
  const meant = wanted.includes(':') ? same.filter(({ volid }) => volid === best.volid) : same;
  return {
    file: fileOf(best.volid),
    size: best.size,
    volidOn: (node) => meant.find(({ nodes }) => nodes.includes(node))?.volid,
  };
}

/** No file is called that: with the nearest names there are. */
export function noSuchFile(what: string, wanted: string, names: readonly string[], cure: string): Failure {
  const near = nearestTo(wanted, names);
  const hint = near.length > 0 ? `Nearest: ${near.join(', ')}. ${cure}` : cure;
  return new Failure('not-found', `There is no ${what} "${wanted}" that this token may use.`, hint, {
    facts: { candidates: near },
  });
}
