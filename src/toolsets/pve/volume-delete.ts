import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import { bytes, iso } from '../format.ts';
import { node, volume, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { noted } from './attempt.ts';
import { deleteVolume } from './volume-removal.ts';
import { type Use, usesOf } from './volume-use.ts';
import { findVolume, ownersOf, type Volume } from './volumes.ts';

/** The volume, when no guest uses it; Proxmox VE itself would delete the disk of a guest that runs from it. */
async function look(context: ToolContext, volid: string, node: string | undefined): Promise<Volume> {
  const found = await findVolume(context, volid, node);
  if (found.content === 'backup') {
    throw new Failure('invalid-input', `${volid} is a backup.`, 'pve_backup_delete deletes backups.');
  }
  const uses = await usesOf(context, found);
  const [first] = uses;
  if (first === undefined) return found;
  const list = uses.map(({ guest, key }) => `${guest.label} (${key})`);
  throw new Failure('conflict', `${volid} is in use by ${list.join(', ')}.`, cureOf(found, first), {
    facts: { used_by: list },
  });
}

/** What frees it; a disk on another node than its guest is not the one that the guest runs from. */
function cureOf({ volid, content, nodes }: Volume, { guest, key }: Use): string {
  if (content === 'iso') return 'Take it out of the drive first.';
  if (content === 'snippets') return `Take it out of ${key} first.`;
  if (nodes.includes(guest.node)) {
    return 'Detach it from the guest first (pve_disk_remove), or delete the snapshot that holds it.';
  }
  return `The guest is on ${guest.node}: this one may serve its replication, or be left over from a migration. If it is left over, \`pvesm free ${volid}\` on ${nodes[0]} deletes it.`;
}

/** What was looked at, so that nobody takes it for more. */
function unused(content: string | undefined): string {
  if (content === 'iso') return 'No VM has it in a drive.';
  if (content === 'snippets') return 'No configuration that this token sees names it.';
  const disk = content === 'images' || content === 'rootdir';
  return disk
    ? 'No configuration that this token sees names it, and no snapshot of its guest.'
    : 'Guests that were made from it do not need it.';
}

export default definePveTool({
  name: 'pve_volume_delete',
  title: 'Delete a volume from a storage',
  effect: 'destroy',
  summary:
    'Delete a volume that no guest uses: ISO image, container template, import image, disk left over. One that a ' +
    'configuration or a snapshot names is refused. There is no undo.',
  search: 'remove iso template image orphaned leftover unused disk free space pvesm free',
  input: {
    volume,
    node: node.optional().describe('Only when several have that id.'),
    wait_s: waitSeconds.optional(),
  },
  touches: ({ volume }) => ownersOf(volume),

  async confirm({ volume, node }, context) {
    const { volid, storage, nodes, content, size, ctime, vmid } = await look(context, volume, node);
    const what = [
      content,
      size === undefined ? undefined : bytes(size),
      ctime === undefined ? undefined : `of ${iso(ctime)}`,
    ];
    const where = nodes.length === 1 ? `${storage} of ${nodes[0]}` : `${storage}, which ${nodes.join(', ')} share`;
    const whose = vmid === undefined ? '' : ` It belonged to guest ${vmid}.`;
    const lines = [
      `Delete ${volid} (${what.filter((one) => one !== undefined).join(', ')}) from ${where}. There is no undo.`,
      `${unused(content)}${whose}`,
    ];
    return { message: lines.join('\n'), state: { volume: volid, node: nodes[0], size, made: ctime } };
  },

  async run({ volume, node, wait_s }, context) {
    const found = await look(context, volume, node);
    const { gone, said, facts, notes } = await deleteVolume(context, found, wait_s);
    return answer(`${volume} ${said}`, {
      volume,
      storage: found.storage,
      node: found.nodes.length === 1 ? found.nodes[0] : undefined,
      freed: gone && found.size !== undefined ? bytes(found.size) : undefined,
      ...facts,
      notes: noted(notes),
    });
  },
});
