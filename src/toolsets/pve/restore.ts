import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import type { ToolContext } from '../tool.ts';
import type { Archive } from './archive.ts';
import type { Stage } from './stages.ts';

/** What a restore is told besides the backup and the guest. */
export interface RestoreWish {
  readonly storage?: string;
  readonly name?: string;
  /** New MAC addresses. */
  readonly unique?: boolean;
  /** Overwrites the guest of that id. */
  readonly force?: boolean;
}

/** The write that restores it: a container's and a VM's are one call of the API each, with names of their own. */
export function restoreStage(context: ToolContext, guest: Guest, { volume }: Archive, wish: RestoreWish): Stage {
  const { pve, signal } = context;
  const { node, kind, vmid } = guest;
  const common = {
    vmid,
    storage: wish.storage,
    unique: wish.unique || undefined,
    force: wish.force || undefined,
  };
  const own =
    kind === 'lxc'
      ? { ...common, restore: true, ostemplate: volume.volid, hostname: wish.name }
      : { ...common, archive: volume.volid, name: wish.name };
  return { name: 'restore', write: () => pve.post(path`/nodes/${node}/${kind}`, own, { signal }) };
}

/** Whether a VM's guest agent is switched on, without which nobody outside sees its addresses. */
export const seesAddress = ({ kind, config }: Archive): boolean =>
  kind === 'lxc' || /^(enabled=)?1\b/.test(config.get('agent') ?? '');
