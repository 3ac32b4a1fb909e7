import { Failure } from '../failure.ts';

/** A place where a command can run: a host by name, a container or a VM by VMID. */
export type Target = { readonly kind: 'host'; readonly name: string } | GuestTarget;

/** A guest of that cluster, where there are several. */
export interface GuestTarget {
  readonly kind: 'ct' | 'vm';
  readonly vmid: number;
  readonly cluster?: string;
}

/** `ct/400`, and `ct/400@attic` where there are several clusters. */
export const guestTarget = ({ kind, vmid, cluster }: GuestTarget): string =>
  `${kind}/${vmid}${cluster === undefined ? '' : `@${cluster}`}`;

/**
 * Reads `pve1`, `ct/400`, `vm/101`, or `ct/400@attic` of a cluster; anything else is `invalid-input`. One guest has one
 * spelling of its id.
 */
export function parseTarget(text: string): Target {
  const [, word, vmid, cluster] = /^(ct|lxc|vm|qemu)\/([1-9]\d{2,8})(?:@([A-Za-z0-9-]{1,40}))?$/.exec(text) ?? [];
  if (word !== undefined) return { kind: /^(ct|lxc)$/.test(word) ? 'ct' : 'vm', vmid: Number(vmid), cluster };
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text)) return { kind: 'host', name: text };
  throw new Failure(
    'invalid-input',
    `"${text}" is not a target.`,
    'Write a host by its name (pve1), a container as ct/400, a VM as vm/101.',
  );
}
