import type { Guest } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { splitList } from '../formats.ts';

/** The guests of the call's node that `vms` lists, or all of them; each needs VM.PowerMgmt. */
function chosen(call: Call): Guest[] {
  const listed = splitList(call.text('vms')).map(Number);
  for (const vmid of listed) call.require(`/vms/${vmid}`, 'VM.PowerMgmt');
  if (listed.length === 0) call.require('/', 'VM.PowerMgmt');
  return call.world.guests.filter(
    ({ node, vmid, template }) =>
      node === call.node.name && !template && (listed.length === 0 || listed.includes(vmid)),
  );
}

/** One task for all of them, as `pvenode startall` and `stopall` are. */
function all(call: Call, type: 'startall' | 'stopall'): string {
  const wanted = type === 'startall' ? 'running' : 'stopped';
  const guests = chosen(call).filter(
    ({ status, config }) => status !== wanted && (type === 'stopall' || call.has('vms') || config.onboot === 1),
  );
  const steps = guests.map((guest) => ({
    seconds: 2,
    log: [`${type === 'startall' ? 'Starting' : 'Stopping'} ${guest.kind === 'lxc' ? 'CT' : 'VM'} ${guest.vmid}`],
    run: () => {
      guest.status = wanted;
      if (wanted === 'running') guest.startedAt = call.world.now();
    },
  }));
  return call.world.begin({ node: call.node.name, type, id: '', by: call.by, steps }).upid;
}

/** The node says nothing more: it goes down with what runs on it, and comes back by itself when it is to. */
function power(call: Call): null {
  const up = call.world.guests.filter(({ node, status }) => node === call.node.name && status === 'running');
  for (const guest of up) guest.status = 'stopped';
  if (call.text('command') === 'shutdown') call.world.switches.offline.add(call.node.name);
  else for (const guest of up.filter(({ config }) => config.onboot === 1)) guest.status = 'running';
  return null;
}

export const nodePowerHandlers: Handlers = {
  'POST /nodes/{node}/status': power,
  'POST /nodes/{node}/startall': (call) => all(call, 'startall'),
  'POST /nodes/{node}/stopall': (call) => all(call, 'stopall'),
};
