import { Failure } from '../failure.ts';

/** A place where a command can run: a host by name, a container or a VM by VMID. */
export type Target =
  | { readonly kind: 'host'; readonly name: string }
  | { readonly kind: 'ct'; readonly vmid: number }
  | { readonly kind: 'vm'; readonly vmid: number };

/** Reads `pve1`, `ct/400` or `vm/101`; anything else is `invalid-input`. One guest has one spelling of its id. */
export function parseTarget(text: string): Target {
  const guest = /^(ct|lxc|vm|qemu)\/([1-9]\d{2,8})$/.exec(text);
  if (guest) {
    const kind = guest[1] === 'ct' || guest[1] === 'lxc' ? 'ct' : 'vm';
    return { kind, vmid: Number(guest[2]) };
  }
  if (/^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(text)) return { kind: 'host', name: text };
  throw new Failure(
    'invalid-input',
    `"${text}" is not a target.`,
    'Write a host by its name (pve1), a container as ct/400, a VM as vm/101.',
  );
}
