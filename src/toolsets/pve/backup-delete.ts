import { Failure } from '../../failure.ts';
import { answer } from '../../present/answer.ts';
import { bytes, iso } from '../format.ts';
import { backup, node, waitSeconds } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { noted } from './attempt.ts';
import { namesOfGuests, newestFirst } from './backups.ts';
import { deleteVolume } from './volume-removal.ts';
import { findVolume, ownersOf, readVolumes, type Volume } from './volumes.ts';

/** The backup, when it may be deleted at all: refused before anybody is asked. */
async function look(context: ToolContext, volid: string, node: string | undefined): Promise<Volume> {
  const found = await findVolume(context, volid, node);
  if (found.content !== 'backup') {
    throw new Failure('invalid-input', `${volid} is no backup.`, 'pve_volume_delete deletes other volumes.');
  }
  if (found.protected) {
    const at = `/nodes/${found.nodes[0]}/storage/${found.storage}/content/${volid}`;
    throw new Failure(
      'conflict',
      `${volid} is a protected backup: Proxmox VE deletes none of those.`,
      `Whoever protected it has to lift that first: in the web interface Storage > Backups > Change Protection, or \`pvesh set ${at} --protected 0\` on a node.`,
    );
  }
  return found;
}

async function preview(context: ToolContext, found: Volume) {
  const { volid, vmid, ctime, size, storage, nodes } = found;
  const node = nodes.length === 1 ? nodes[0] : undefined;
  const names = await namesOfGuests(context.pve, context.signal, []);
  const all = vmid === undefined ? [] : await readVolumes(context, { content: 'backup', vmid }, []);
  const others = newestFirst(all).filter((one) => one.volid !== volid);
  const name = vmid === undefined ? undefined : names.get(vmid);
  const whose =
    vmid === undefined ? 'a guest' : `guest ${vmid}${name ? ` (${name})` : ', which is not there any more'}`;
  const left = others[0]
    ? `Other backups of it: ${others.length}, the newest of ${iso(others[0].ctime ?? 0)}.`
    : 'No other backup of it was found: this is the last one.';
  const lines = [
    `Delete the backup ${volid} from ${storage}${node === undefined ? '' : ` of ${node}`}${size === undefined ? '' : ` (${bytes(size)})`}. There is no undo.`,
    `It is of ${whose}${ctime === undefined ? '' : `, taken ${iso(ctime)}`}. ${left}`,
  ];
  return { message: lines.join('\n'), state: { backup: volid, vmid, taken: ctime, size, ...(node && { node }) } };
}

export default definePveTool({
  name: 'pve_backup_delete',
  title: 'Delete a backup',
  effect: 'destroy',
  summary: 'Delete one backup; a protected one is refused. The guest is not touched. There is no undo.',
  search: 'remove drop prune old vzdump archive dump pbs storage free space',
  input: {
    backup,
    node: node.optional().describe('Only when several have that id.'),
    wait_s: waitSeconds.optional(),
  },
  touches: ({ backup }) => ownersOf(backup),

  confirm: async ({ backup, node }, context) => preview(context, await look(context, backup, node)),

  async run({ backup, node, wait_s }, context) {
    const found = await look(context, backup, node);
    const { gone, said, facts, notes } = await deleteVolume(context, found, wait_s);
    return answer(`${backup} ${said}`, {
      backup,
      storage: found.storage,
      freed: gone && found.size !== undefined ? bytes(found.size) : undefined,
      ...facts,
      notes: noted(notes),
    });
  },
});
