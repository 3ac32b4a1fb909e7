import { answer } from '../../present/answer.ts';
import { guest, nicKey } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { noted } from './attempt.ts';
import { refuseLocked } from './locked.ts';
import { noNic } from './nics.ts';
import { apply, effective, readSettings, refuseTemplate, waiting } from './settings.ts';
import { inspect } from './state.ts';

async function look(context: ToolContext, ref: string | number, nic: string) {
  const { guest, state } = await inspect(context, ref);
  refuseTemplate(guest);
  refuseLocked(guest, state);
  const settings = await readSettings(context.pve, guest, context.signal);
  const value = effective(settings, nic);
  if (value === undefined) throw noNic(guest, settings, nic);
  return { guest, settings, value };
}

export default definePveTool({
  name: 'pve_nic_remove',
  title: 'Remove a network card',
  effect: 'change',
  summary:
    'Remove a network card from a VM or container. Tells what it was, with its MAC, so that it can be added ' +
    'again.',
  search: 'delete unplug detach network interface net0 ethernet disconnect bridge pct qm set',
  input: { guest, nic: nicKey },

  async confirm({ guest: ref, nic }, context) {
    const { guest, value } = await look(context, ref, nic);
    return {
      message: `Remove ${nic} from ${guest.label}: ${value}. The guest is no longer reached through it.`,
      state: { guest: guest.label, nic, value },
    };
  },

  async run({ guest: ref, nic }, context) {
    const { guest, settings, value } = await look(context, ref, nic);
    const { done, facts, after, notes } = await apply(context, guest, settings, { set: {}, remove: [nic] });
    const common = { guest: guest.label, nic, was: value };
    if (!done) return answer(`${guest.label}: ${nic} is still being removed`, { ...common, ...facts });
    const waits = (after && waiting(after, [nic])) || undefined;
    return answer(`${guest.label}: ${nic} ${waits ? 'goes with the next restart' : 'removed'}`, {
      ...common,
      restart_needed: waits,
      ...facts,
      notes: noted(notes),
    });
  },
});
