import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Guest } from '../../pve/guests.ts';
import { type Resources, readResources } from '../../pve/resources.ts';
import { backup, hostName, newVmid as newVmidParam, node, storage, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { type Archive, readArchive, readOrigin, rootStorage, taken } from './archive.ts';
import { guestToBe, newVmid, startOf, tellNew } from './new-guest.ts';
import { pickNode, pickStorage, storagesOf } from './pick-place.ts';
import { restoreStage, seesAddress } from './restore.ts';
import { inStages } from './stages.ts';

const input = {
  backup,
  new_vmid: newVmidParam.optional(),
  name: hostName.optional(),
  node: node.optional().describe('Else that of the original.'),
  storage: storage.optional().describe('For its disks; else as in the backup.'),
  unique: z.boolean().default(true).describe('New MAC addresses.'),
  start: z.boolean().default(false).describe('Start it, and wait for its address.'),
  wait_s: waitSeconds.optional(),
};
type Input = z.infer<z.ZodObject<typeof input>>;

interface Plan {
  readonly archive: Archive;
  readonly guest: Guest;
  readonly storage?: string;
  readonly notes: readonly string[];
}

/** The asked node, or of those that reach the backup the original's, or else the one with the most free memory. */
function nodeFor(all: Resources, { volume }: Archive, origin: Guest | undefined, wanted: string | undefined): string {
  const reached = (one: string): boolean => volume.nodes.includes(one);
  const home = all.nodes.find((one) => one.node === origin?.node && one.status === 'online' && reached(one.node));
  if (wanted === undefined && home) return home.node;
  return pickNode(all, { node: wanted, that: `reaches storage ${volume.storage}`, fits: reached });
}

/** A container's disks go to `local` unless a storage is named, so the one in the backup is, where the node has it. */
function storageFor(all: Resources, { kind, config }: Archive, node: string, wanted?: string): string | undefined {
  if (wanted !== undefined) return pickStorage(all, node, kind === 'lxc' ? 'rootdir' : 'images', wanted).storage;
  if (kind === 'qemu') return undefined;
  const fit = storagesOf(all, node, 'rootdir').map((one) => one.storage);
  return fit.find((one) => one === rootStorage(config)) ?? pickStorage(all, node, 'rootdir').storage;
}

async function plan(context: ToolContext, wanted: Input): Promise<Plan> {
  const { pve, signal } = context;
  const notes: string[] = [];
  const archive = await readArchive(context, wanted.backup, wanted.node, notes);
  const [all, { origin, shared }, vmid] = await Promise.all([
    readResources(pve, { signal }),
    readOrigin(context, archive, notes),
    newVmid(pve, wanted.new_vmid, signal),
  ]);
  const node = nodeFor(all, archive, origin, wanted.node);
  const name = wanted.name ?? archive.config.get(archive.kind === 'lxc' ? 'hostname' : 'name') ?? `copy-${vmid}`;
  if (origin && shared.length > 0) {
    const same = `${shared.join(', ')} is its address and that of ${origin.label}`;
    if (wanted.start && origin.status === 'running') {
      throw new Failure(
        'conflict',
        `${same}, which is running: the copy is not started beside it. Nothing was done.`,
        'Restore it without start, give it another address with pve_guest_configure, then start it.',
      );
    }
    notes.push(`${same}: change one of them before both run.`);
  }
  const storage = storageFor(all, archive, node, wanted.storage);
  return { archive, guest: guestToBe(archive.kind, vmid, name, node), storage, notes };
}

export default definePveTool({
  name: 'pve_backup_restore',
  title: 'Restore a backup to a new guest',
  effect: 'change',
  core: true,
  summary:
    'Make a new VM or container from a backup; the original is left alone. pve_guest_restore puts a backup over ' +
    'an existing guest.',
  search: 'recover copy vzdump archive pbs import qmrestore pct restore disaster test',
  input,
  touches: ({ new_vmid }) => (new_vmid === undefined ? [] : [new_vmid]),

  async confirm(wanted, context) {
    const { archive, guest, storage, notes } = await plan(context, wanted);
    const where = storage ? ` with its disks on ${storage}` : '';
    const what = `Restore ${archive.volume.volid} (${taken(archive.volume)}) to the new ${guest.label}${where}.`;
    return { message: [what, ...notes].join('\n'), state: { backup: wanted.backup, node: guest.node, storage } };
  },

  async run(wanted, context) {
    const { archive, guest, storage, notes } = await plan(context, wanted);
    const { unique, start } = wanted;
    const stages = [
      restoreStage(context, guest, archive, { storage, unique, name: wanted.name }),
      ...(start ? [startOf(context, guest)] : []),
    ];
    const facts = { backup: archive.volume.volid, storage };
    const told = { vmid: guest.vmid, node: guest.node };
    const reached = await inStages(context, stages, { waitSeconds: wanted.wait_s, facts: told });
    const made = `restored from the backup ${taken(archive.volume)}`;
    return tellNew(context, guest, reached, {
      made,
      facts,
      started: start,
      seesAddress: seesAddress(archive),
      notes,
    });
  },
});
