import { answer } from '../../present/answer.ts';
import { guest, nicKey } from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { noted } from './attempt.ts';
import { refuseLocked } from './locked.ts';
import { cardOf, type Wishes, wishes } from './nic-wish.ts';
import { checkBridge } from './nics.ts';
import { apply, effective, readSettings, refuseTemplate, waiting } from './settings.ts';
import { inspect } from './state.ts';

async function look(context: ToolContext, ref: string | number, nic: string | undefined, wish: Wishes) {
  const { pve, signal } = context;
  const { guest, state } = await inspect(context, ref);
  refuseTemplate(guest);
  refuseLocked(guest, state);
  const settings = await readSettings(pve, guest, signal);
  const card = cardOf(guest, settings, nic, wish);
  if (wish.bridge !== undefined) await checkBridge(pve, guest, wish.bridge, signal);
  return { guest, settings, card, before: effective(settings, card.key) };
}

export default definePveTool({
  name: 'pve_nic_set',
  title: 'Add or change a network card',
  effect: 'change',
  summary:
    'Change a network card of a VM or container, or add one when nic is left out. What is not given stays, the ' +
    'MAC too.',
  search: 'network interface ethernet net0 bridge vmbr0 vlan tag address dhcp gateway link disconnect pct qm set',
  input: { guest, nic: nicKey.optional(), ...wishes },

  async confirm({ guest: ref, nic, ...wish }, context) {
    const { guest, card, before } = await look(context, ref, nic, wish);
    const was = before === undefined ? 'new' : before;
    return {
      message: `${card.isNew ? 'Add' : 'Change'} ${card.key} of ${guest.label}:\n${was} -> ${card.value}`,
      state: { guest: guest.label, nic: card.key, before },
    };
  },

  async run({ guest: ref, nic, ...wish }, context) {
    const { guest, settings, card, before } = await look(context, ref, nic, wish);
    const { key, value, isNew } = card;
    const common = { guest: guest.label, nic: key, before };
    if (value === before)
      return answer(`${guest.label}: ${key} is so already; nothing was done`, { ...common, changed: false });
    const { done, facts, after, notes } = await apply(context, guest, settings, { set: { [key]: value }, remove: [] });
    if (!done) return answer(`${guest.label}: ${key} is still being changed`, { ...common, ...facts });
    const waits = (after && waiting(after, [key])) || undefined;
    return answer(`${guest.label}: ${key} ${isNew ? 'added' : 'changed'}${waits ? ', in force after a restart' : ''}`, {
      ...common,
      now: after && effective(after, key),
      restart_needed: waits,
      ...facts,
      notes: noted(notes),
    });
  },
});
