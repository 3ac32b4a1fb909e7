import { z } from 'zod';
import { answer, type Facts, type RemoteText, remote } from '../../present/answer.ts';
import { type AgentInfo, agentInfo } from '../../pve/agent.ts';
import type { Pve } from '../../pve/client.ts';
import { num, text } from '../../pve/fields.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { usage } from '../format.ts';
import { guest } from '../params.ts';
import { readAddresses } from '../pve/addresses.ts';
import { attempt, noted } from '../pve/attempt.ts';
import { definePveTool } from '../tool.ts';
import { vmPlaceOf } from './place.ts';

const parts = ['os', 'interfaces', 'filesystems', 'freeze'] as const;
type Part = (typeof parts)[number];

const osShape = z.object({
  result: z.object({ 'pretty-name': text, name: text, version: text, 'kernel-release': text, machine: text }),
});

async function readOs(pve: Pve, { node, vmid }: Guest, signal: AbortSignal): Promise<RemoteText> {
  const { result } = await pve.get(path`/nodes/${node}/qemu/${vmid}/agent/get-osinfo`, osShape, {}, { signal });
  const name = result['pretty-name'] ?? [result.name, result.version].filter(Boolean).join(' ');
  const kernel = result['kernel-release'] && `kernel ${result['kernel-release']}`;
  return remote([name, kernel, result.machine].filter(Boolean).join(', '));
}

const fsShape = z.object({
  result: z.array(z.object({ name: text, mountpoint: text, type: text, 'total-bytes': num, 'used-bytes': num })),
});

/** A line for each file system: the guest chooses its names. */
async function readFileSystems(pve: Pve, { node, vmid }: Guest, signal: AbortSignal): Promise<RemoteText> {
  const { result } = await pve.get(path`/nodes/${node}/qemu/${vmid}/agent/get-fsinfo`, fsShape, {}, { signal });
  const lines = result.map(({ name, mountpoint, type, ...one }) => {
    const used = usage(one['used-bytes'], one['total-bytes']);
    return [mountpoint, name && `on ${name}`, type, used && `: ${used}`].filter(Boolean).join(' ').replace(' : ', ': ');
  });
  return remote(lines.join('\n'));
}

const freezeFacts = ({ frozen, enabled }: AgentInfo): Facts => ({
  freeze: frozen ? 'frozen: a backup or snapshot is under way, and nothing else is answered' : 'thawed',
  can_freeze: frozen ? undefined : enabled.has('guest-fsfreeze-freeze'),
});

export default definePveTool({
  name: 'vm_agent',
  title: 'Ask the guest agent of a VM',
  effect: 'read',
  summary:
    'What the QEMU guest agent of a running VM tells: whether it answers (else how to install or enable it), ' +
    'version, operating system, addresses, file systems with use, whether frozen.',
  search: 'ping qga osinfo hostname ip disk usage df inside fsfreeze agent running installed',
  input: {
    guest,
    what: z.array(z.enum(parts)).min(1).max(4).optional().describe('Default: all.'),
  },

  async run({ guest: ref, what = parts }, { pve, signal }) {
    const { guest, label } = await vmPlaceOf(ref, { pve, signal });
    const info = await agentInfo(pve, guest, { signal });
    const notes: string[] = [];
    const part = <T>(name: Part, read: (...of: Parameters<typeof readOs>) => Promise<T>, says: string) =>
      what.includes(name) && !info.frozen ? attempt(read(pve, guest, signal), notes, says) : undefined;
    const [os, interfaces, filesystems] = await Promise.all([
      part('os', readOs, 'The operating system'),
      part('interfaces', readAddresses, 'Addresses'),
      part('filesystems', readFileSystems, 'File systems'),
    ]);
    return answer(`The guest agent of ${label} answers${info.frozen ? '; its file systems are frozen' : ''}`, {
      vmid: guest.vmid,
      node: guest.node,
      agent_version: /^[\w.+~-]{1,40}$/.test(info.version ?? '') ? info.version : undefined,
      runs_commands: info.frozen ? undefined : info.enabled.has('guest-exec'),
      os,
      interfaces,
      filesystems,
      ...(what.includes('freeze') ? freezeFacts(info) : {}),
      notes: noted(notes),
    });
  },
});
