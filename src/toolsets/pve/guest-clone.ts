import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { Facts } from '../../present/answer.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { readResources } from '../../pve/resources.ts';
import {
  gateway,
  guest,
  hostName,
  ip,
  makePassword,
  onNode,
  onStorage,
  snapshotName,
  sshKeys,
  startIt,
  user,
  newVmid as vmidParam,
  waitSeconds,
} from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { addressing } from './addressing.ts';
import { type CloneWish, isFull, refuseClone, type Source } from './clone-wish.ts';
import { type CloudInit, cloudInitOptions } from './cloud-init.ts';
import { disksOf } from './disks.ts';
import { guestToBe, newVmid, startOf, tellNew } from './new-guest.ts';
import { parseParts, printParts, withParts } from './property-string.ts';
import { effective, readSettings, type Settings } from './settings.ts';
import { readSnapshots } from './snapshots.ts';
import { inStages, type Stage } from './stages.ts';
import { inspect } from './state.ts';

const shape = {
  guest,
  name: hostName.optional(),
  new_vmid: vmidParam.optional(),
  full: z.boolean().optional().describe('Default: linked to a template, else full.'),
  snapshot: snapshotName.optional().describe('Clone this one.'),
  storage: onStorage.optional().describe('For a full copy; else as the source.'),
  node: onNode.optional().describe('Where to; needs shared storage.'),
  user: user.optional(),
  ssh_keys: sshKeys.optional(),
  password: makePassword.default(false).describe('VMs: make one, kept in a local file.'),
  ip: ip.optional(),
  gateway: gateway.optional(),
  start: startIt.default(false),
  wait_s: waitSeconds.optional(),
};

/** The write that clones. */
const cloneOf = ({ pve, signal }: ToolContext, { guest: from }: Source, to: Guest, input: CloneInput): Stage => ({
  name: 'clone',
  write: () =>
    pve.post(
      path`/nodes/${from.node}/${from.kind}/${from.vmid}/clone`,
      {
        newid: to.vmid,
        [from.kind === 'lxc' ? 'hostname' : 'name']: input.name,
        full: input.full ?? (input.storage === undefined ? undefined : true),
        snapname: input.snapshot,
        storage: input.storage,
        target: to.node === from.node ? undefined : to.node,
      },
      { signal },
    ),
});
type CloneInput = CloneWish & { readonly name?: string };

/** The write that gives the clone its own address and logins: of a VM by cloud-init, of a container in its first card. */
const configureOf = ({ pve, signal }: ToolContext, to: Guest, wish: CloudInit): Stage => ({
  name: 'configure',
  async write() {
    const config = path`/nodes/${to.node}/${to.kind}/${to.vmid}/config`;
    const settings = await readSettings(pve, to, signal);
    const { digest } = settings;
    if (to.kind === 'qemu') return pve.post(config, { ...cloudInitOptions(wish), digest }, { signal });
    return pve.put(config, { net0: cardWith(to, settings, wish), digest }, { signal });
  },
});

const NO_ADDRESS = { ip: null, gw: null, ip6: null, gw6: null } as const;

function cardWith(
  to: Guest,
  settings: Settings,
  { ip: own = 'dhcp', gateway: via }: Pick<CloudInit, 'ip' | 'gateway'>,
): string {
  const card = effective(settings, 'net0');
  if (card === undefined)
    throw new Failure('conflict', `${to.label} has no network card net0.`, 'Give it one with pve_nic_set.');
  const address = Object.fromEntries(parseParts(addressing({ ip: own, gateway: via })));
  return printParts(withParts(withParts(parseParts(card), NO_ADDRESS), address));
}

async function sourceOf(context: ToolContext, ref: number | string): Promise<Source & { readonly settings: Settings }> {
  const { pve, signal } = context;
  const { guest: from, state } = await inspect(context, ref);
  const [settings, snapshots, all] = await Promise.all([
    readSettings(pve, from, signal),
    readSnapshots(pve, from, signal),
    readResources(pve, { signal }),
  ]);
  const own = effective(settings, from.kind === 'lxc' ? 'net0' : 'ipconfig0') ?? '';
  const address = /(?:^|,)ip=(\d[^,]*)/.exec(own)?.[1];
  return { guest: from, state, settings, snapshots, all, address, disks: disksOf(from.kind, settings) };
}

const twins = ({ guest: from, address }: Source): string =>
  `Its static address ${address} is that of ${from.label} too: give it one of its own before both run.`;

/** What the clone was given of its own, for the answer. */
const given = ({ user: name, ssh_keys, ip: own, gateway: via }: CloneWish): Facts => ({
  user: name,
  ssh_keys: ssh_keys?.length,
  address: own === undefined ? undefined : addressing({ ip: own, gateway: via }),
});

export default definePveTool({
  name: 'pve_guest_clone',
  title: 'Clone a guest',
  effect: 'change',
  summary:
    'Clone a VM, container, template or snapshot; give the clone its address and logins (VMs: by cloud-init), ' +
    'start it and tell its address, in one call.',
  search: 'copy duplicate deploy from template new vm instance qm clone pct clone provision',
  input: shape,
  touches: ({ new_vmid }) => (new_vmid === undefined ? [] : [new_vmid]),

  async run(input, context) {
    const source = await sourceOf(context, input.guest);
    const { guest: from, settings } = source;
    refuseClone(input, source);
    if (from.kind === 'lxc' && input.ip !== undefined) cardWith(from, settings, input);
    const facts = given(input);
    const vmid = await newVmid(context.pve, input.new_vmid, context.signal);
    const name = input.name ?? `Copy-of-${from.kind === 'lxc' ? 'CT' : 'VM'}-${from.name}`;
    const to = guestToBe(from.kind, vmid, name, input.node ?? from.node);
    const kept = input.password ? await context.keepSecret(`${name}-${vmid}`) : undefined;
    const password = { password_file: kept?.file };
    const changed = kept !== undefined || Object.values(facts).some((fact) => fact !== undefined);
    const stages = [
      cloneOf(context, source, to, input),
      ...(changed ? [configureOf(context, to, { ...input, password: kept?.value })] : []),
      ...(input.start ? [startOf(context, to)] : []),
    ];
    const reached = await inStages(context, stages, {
      waitSeconds: input.wait_s,
      facts: { ...password, clone: to.label },
    });
    const way = isFull(input, source) ? 'full' : 'linked';
    return tellNew(context, to, reached, {
      made: `${way} clone of ${from.label}${input.snapshot ? ` at ${input.snapshot}` : ''}`,
      facts: { source: from.label, clone: way, storage: input.storage, ...facts, ...password },
      started: input.start,
      seesAddress: from.kind === 'lxc' || /^(1|enabled=1)/.test(effective(settings, 'agent') ?? ''),
      notes: input.ip === undefined && source.address !== undefined ? [twins(source)] : [],
    });
  },
});
