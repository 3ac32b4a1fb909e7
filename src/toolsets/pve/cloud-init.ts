import type { PveParams } from '../../pve/client.ts';
import type { Secret } from '../../secret.ts';
import { addressing } from './addressing.ts';

/** A line of authorized_keys without options, as Proxmox VE takes them. */
export const isPublicKey = (line: string): boolean => /^(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+( [^\p{Cc}]*)?$/u.test(line);

/** What cloud-init sets up inside a VM when it starts. */
export interface CloudInit {
  readonly user?: string;
  readonly ssh_keys?: readonly string[];
  readonly ip?: string;
  readonly gateway?: string;
  readonly password?: Secret;
}

/**
 * The VM's options for it. The keys are encoded once more than a form is (qemu-server, format `urlencoded`); of a
 * password the server keeps a hash.
 */
export const cloudInitOptions = ({ user, ssh_keys, ip, gateway, password }: CloudInit): PveParams => ({
  ciuser: user,
  sshkeys: ssh_keys && encodeURIComponent(ssh_keys.join('\n')),
  ipconfig0: ip === undefined ? undefined : addressing({ ip, gateway }),
  cipassword: password?.reveal(),
});
