import { z } from 'zod';
import { Failure } from '../../failure.ts';
import type { PveParams } from '../../pve/client.ts';
import type { Guest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { readResources } from '../../pve/resources.ts';
import {
  bridge,
  cores,
  diskGib,
  gateway,
  hostName,
  ip,
  makePassword,
  memoryMib,
  onBoot,
  onNode,
  onStorage,
  sshKeys,
  startIt,
  tags,
  vlan,
  newVmid as vmidParam,
  waitSeconds,
} from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { containerCard } from './addressing.ts';
import { findTemplate } from './ct-template.ts';
import { guestToBe, newVmid, startOf, tellNew } from './new-guest.ts';
import { pickStorage } from './pick-place.ts';
import { rootRoad, setAsRoot } from './root-road.ts';
import { readSettings } from './settings.ts';
import { inStages, type Stage } from './stages.ts';

const mount = z.strictObject({
  storage: z.string(),
  size_gib: z.number().int().min(1).max(131_072),
  path: z.string().refine(isMountPath, 'must be an absolute path'),
});

/** As PVE::JSONSchema's pve-lxc-mp-string: absolute, without `.` and `..`. */
function isMountPath(text: string): boolean {
  return /^(\/(?!\.\.?(\/|$))[^,\s/]+)+$/.test(text);
}

const shape = {
  template: z.string().max(255).describe('Name (debian-13) or volume id; downloaded when missing.'),
  name: hostName,
  new_vmid: vmidParam.optional(),
  node: onNode.optional(),
  storage: onStorage.optional(),
  cores: cores.default(1),
  memory_mib: memoryMib.default(1024),
  disk_gib: diskGib.default(8),
  mounts: z.array(mount).max(20).optional().describe('More volumes.'),
  ip: ip.default('dhcp'),
  gateway: gateway.optional(),
  bridge: bridge.default('vmbr0'),
  vlan: vlan.optional(),
  ssh_keys: sshKeys.optional(),
  password: makePassword.optional(),
  nesting: z.boolean().optional().describe('For systemd and Docker inside. Default: as unprivileged.'),
  features: z
    .array(z.enum(['fuse', 'keyctl', 'mknod']))
    .optional()
    .describe('Set as root over SSH.'),
  unprivileged: z.boolean().default(true).describe('Root inside is nobody outside.'),
  onboot: onBoot.optional(),
  tags: tags.optional(),
  start: startIt.default(true),
  wait_s: waitSeconds.optional(),
};
type Input = z.infer<z.ZodObject<typeof shape>>;

/** Nobody could log in: told before anything is downloaded or made. */
function refuse({ ssh_keys, password }: Input): void {
  if (password !== false || ssh_keys !== undefined) return;
  throw new Failure(
    'invalid-input',
    'Without a key or a password nobody could log in.',
    'Give ssh_keys, or leave password out.',
  );
}

/** The features that only root@pam may set, as `pct set` takes all of them; undefined when a token may set what is wanted. */
function rootFeatures({ features = [], nesting, unprivileged }: Input): string | undefined {
  const nested = nesting ?? unprivileged;
  if (features.length === 0 && (unprivileged || !nested)) return undefined;
  return [...(nested ? ['nesting'] : []), ...new Set(features)].map((name) => `${name}=1`).join(',');
}

/** Sets them between the making and the start, over SSH. Whether that road is open is known before anything is made. */
async function featuresStage(context: ToolContext, guest: Guest, features: string): Promise<Stage> {
  const host = await rootRoad(context, guest, `the features ${features}`);
  const write = async (): Promise<undefined> => {
    const settings = await readSettings(context.pve, guest, context.signal);
    await setAsRoot(context, host, guest, settings, { set: { features }, remove: [] });
  };
  return { name: 'features', write };
}

/** The parameters of POST /nodes/N/lxc, without the password. */
function parameters(input: Input, vmid: number, volid: string, storage: string): PveParams {
  const mounts = (input.mounts ?? []).map(
    (one, i) => [`mp${i}`, `${one.storage}:${one.size_gib},mp=${one.path}`] as const,
  );
  return {
    vmid,
    ostemplate: volid,
    hostname: input.name,
    cores: input.cores,
    memory: input.memory_mib,
    rootfs: `${storage}:${input.disk_gib}`,
    ...Object.fromEntries(mounts),
    net0: containerCard(input),
    'ssh-public-keys': input.ssh_keys?.join('\n'),
    features: input.unprivileged && input.nesting !== false ? 'nesting=1' : undefined,
    unprivileged: input.unprivileged,
    onboot: input.onboot,
    tags: input.tags?.join(';'),
  };
}

export default definePveTool({
  name: 'pve_ct_create',
  title: 'Create a container',
  effect: 'change',
  summary: 'Create a container from a template, start it and tell its address.',
  search: 'new lxc make deploy provision pct create debian ubuntu alpine turnkey linux box',
  input: shape,
  touches: ({ new_vmid }) => (new_vmid === undefined ? [] : [new_vmid]),

  async run(input, context) {
    refuse(input);
    const { pve, signal } = context;
    const notes: string[] = [];
    const card = containerCard(input);
    const all = await readResources(pve, { signal });
    const template = await findTemplate(context, all, input, notes);
    const { storage } = pickStorage(all, template.node, 'rootdir', input.storage);
    for (const one of input.mounts ?? []) pickStorage(all, template.node, 'rootdir', one.storage);
    const vmid = await newVmid(pve, input.new_vmid, signal);
    const guest = guestToBe('lxc', vmid, input.name, template.node);
    const features = rootFeatures(input);
    const feature = features === undefined ? [] : [await featuresStage(context, guest, features)];
    const wantsPassword = input.password ?? input.ssh_keys === undefined;
    const kept = wantsPassword ? await context.keepSecret(`${input.name}-${vmid}-root`) : undefined;
    const params = { ...parameters(input, vmid, template.volid, storage), password: kept?.value.reveal() };
    const create = { name: 'create', write: () => pve.post(path`/nodes/${guest.node}/lxc`, params, { signal }) };
    const stages = [
      ...(template.download ? [template.download] : []),
      create,
      ...feature,
      ...(input.start ? [startOf(context, guest)] : []),
    ];
    const facts = { password_file: kept?.file };
    const reached = await inStages(context, stages, { waitSeconds: input.wait_s, facts });
    return tellNew(context, guest, reached, {
      made: 'created',
      facts: {
        template: template.volid,
        template_downloaded_to: template.downloadedTo,
        disk: `${storage}, ${input.disk_gib} GiB`,
        net: card,
        features,
        features_road: features && 'ssh: pct set',
        ...facts,
      },
      started: input.start,
      seesAddress: true,
      notes,
    });
  },
});
