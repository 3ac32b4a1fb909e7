import { answer, type Facts, remote } from '../../present/answer.ts';
import { count, iso } from '../format.ts';
import { guest } from '../params.ts';
import { definePveTool } from '../tool.ts';
import { readAddresses } from './addresses.ts';
import { attempt, noted } from './attempt.ts';
import { readConfig, readPending } from './config.ts';
import { readSnapshots, type Snapshot } from './snapshots.ts';
import { inspect, since, stateFacts } from './state.ts';

const SNAPSHOTS_SHOWN = 20;

/** By time, newest last; only the newest when there are many. */
const snapshotFacts = (snapshots: readonly Snapshot[]): readonly Facts[] =>
  [...snapshots]
    .sort((a, b) => (a.snaptime ?? 0) - (b.snaptime ?? 0))
    .slice(-SNAPSHOTS_SHOWN)
    .map(({ name, snaptime, current }) => ({
      name,
      taken: snaptime === undefined ? undefined : iso(snaptime),
      current: current || undefined,
    }));

export default definePveTool({
  name: 'pve_guest_get',
  title: 'Look at one guest',
  effect: 'read',
  core: true,
  summary:
    'All about one VM or container: state, load, configuration, IP addresses (a VM needs its guest agent), ' +
    'snapshots, and changes that wait for a restart.',
  search: 'show details info status ip address network disks memory cores description pending lxc',
  input: { guest },

  async run({ guest: ref }, { pve, signal }) {
    const { guest, state } = await inspect({ pve, signal }, ref);
    const notes: string[] = [];
    const [config, pending, snapshots, addresses] = await Promise.all([
      attempt(readConfig(pve, guest, signal), notes, 'The configuration'),
      attempt(readPending(pve, guest, signal), notes, 'Pending changes'),
      attempt(readSnapshots(pve, guest, signal), notes, 'Snapshots'),
      state.status === 'running' ? attempt(readAddresses(pve, guest, signal), notes, 'IP addresses') : undefined,
    ]);
    const changes = pending && pending.length > 0 ? `, ${count(pending.length, 'change')} pending` : '';
    return answer(`${guest.label}: ${since(state)}${changes}`, {
      vmid: guest.vmid,
      name: guest.name,
      kind: guest.kind,
      node: guest.node,
      template: guest.template || undefined,
      ...stateFacts(state, guest.kind),
      pool: guest.pool,
      ip_addresses: addresses,
      config: config?.settings,
      description: config?.description ? remote(config.description) : undefined,
      pending: pending && pending.length > 0 ? pending : undefined,
      snapshot_count: snapshots?.length,
      snapshots: snapshots && snapshots.length > 0 ? snapshotFacts(snapshots) : undefined,
      notes: noted(notes),
    });
  },
});
