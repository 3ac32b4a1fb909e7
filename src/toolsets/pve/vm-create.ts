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
  user,
  vlan,
  newVmid as vmidParam,
  waitSeconds,
} from '../params.ts';
import { definePveTool, type ToolContext } from '../tool.ts';
import { addressing, machineCard } from './addressing.ts';
import { cloudInitOptions } from './cloud-init.ts';
import { guestToBe, newVmid, startOf, tellNew } from './new-guest.ts';
import { inStages, type Stage } from './stages.ts';
import { findMedia, type Media } from './vm-media.ts';

const USUAL_DISK_GIB = 32;

const isCpu = (text: string): boolean => /^[\w.+-]{1,60}$/.test(text);

const shape = {
  name: hostName,
  iso: z.string().max(255).optional().describe('Name or volume id.'),
  import_from: z.string().max(255).optional().describe('Cloud image or disk: name or volume id.'),
  new_vmid: vmidParam.optional(),
  node: onNode.optional(),
  storage: onStorage.optional(),
  cores: cores.default(2),
  memory_mib: memoryMib.default(2048),
  cpu: z.string().refine(isCpu, 'must be a CPU type').default('x86-64-v2-AES').describe('CPU type, or host.'),
  disk_gib: diskGib.optional().describe('An imported one grows to it.'),
  ostype: z.enum(['l26', 'win11', 'win10', 'other']).default('l26').describe('l26 is Linux.'),
  uefi: z.boolean().optional().describe('UEFI with Secure Boot. Default: for win11.'),
  tpm: z.boolean().optional().describe('TPM 2.0. Default: for win11.'),
  bridge: bridge.default('vmbr0'),
  vlan: vlan.optional(),
  user: user.optional(),
  ssh_keys: sshKeys.optional(),
  password: makePassword.optional(),
  ip: ip.optional(),
  gateway: gateway.optional(),
  onboot: onBoot.optional(),
  tags: tags.optional(),
  start: startIt.default(true),
  wait_s: waitSeconds.optional(),
};
type Input = z.infer<z.ZodObject<typeof shape>>;

/** Any of what cloud-init sets up brings the drive that it is read from. */
const wantsCloudInit = ({ user: login, ssh_keys, password, ip: own, gateway: via }: Input): boolean =>
  login !== undefined || ssh_keys !== undefined || password === true || own !== undefined || via !== undefined;

function refuse(input: Input): void {
  if (!wantsCloudInit(input) || input.import_from !== undefined) return;
  throw new Failure(
    'invalid-input',
    'user, ssh_keys, password, ip and gateway are for cloud-init, which only a cloud image has inside.',
    'Give import_from, or leave them out: an installer asks for all that itself.',
  );
}

function disks(input: Input, { storage, iso, image }: Media): PveParams {
  const size = input.disk_gib ?? USUAL_DISK_GIB;
  const source = image === undefined ? `${storage}:${size}` : `${storage}:0,import-from=${image}`;
  const windows11 = input.ostype === 'win11';
  return {
    scsi0: `${source},discard=on,iothread=1`,
    ide2: iso === undefined ? undefined : `${iso},media=cdrom`,
    ide0: wantsCloudInit(input) ? `${storage}:cloudinit` : undefined,
    efidisk0: (input.uefi ?? windows11) ? `${storage}:1,efitype=4m,pre-enrolled-keys=1` : undefined,
    tpmstate0: (input.tpm ?? windows11) ? `${storage}:1,version=v2.0` : undefined,
  };
}

/** The parameters of POST /nodes/N/qemu but cloud-init's. Cloud images talk on a serial console. */
const parameters = (input: Input, vmid: number, media: Media): PveParams => ({
  vmid,
  name: input.name,
  ostype: input.ostype,
  machine: 'q35',
  bios: (input.uefi ?? input.ostype === 'win11') ? 'ovmf' : undefined,
  cores: input.cores,
  cpu: input.cpu,
  memory: input.memory_mib,
  scsihw: 'virtio-scsi-single',
  ...disks(input, media),
  net0: machineCard({ ...input, ip: 'dhcp' }),
  agent: '1',
  serial0: media.image === undefined ? undefined : 'socket',
  onboot: input.onboot,
  tags: input.tags?.join(';'),
});

/** The write that grows an imported disk to the size that is asked for. */
const growthOf = ({ pve, signal }: ToolContext, { node, vmid }: Guest, gib: number): Stage => ({
  name: 'grow disk',
  write: () => pve.put(path`/nodes/${node}/qemu/${vmid}/resize`, { disk: 'scsi0', size: `${gib}G` }, { signal }),
});

export default definePveTool({
  name: 'pve_vm_create',
  title: 'Create a virtual machine',
  effect: 'change',
  summary: 'Create a VM from an ISO or a cloud image (with cloud-init: login, keys, address) and start it.',
  search: 'new qemu kvm make deploy provision install qm create windows linux server desktop',
  input: shape,
  touches: ({ new_vmid }) => (new_vmid === undefined ? [] : [new_vmid]),

  async run(input, context) {
    refuse(input);
    const { pve, signal } = context;
    const notes: string[] = [];
    const cloudInit = wantsCloudInit(input);
    const own = { ip: input.ip ?? 'dhcp', gateway: input.gateway };
    const address = cloudInit ? addressing(own) : undefined;
    const media = await findMedia(context, await readResources(pve, { signal }), input, notes);
    const vmid = await newVmid(pve, input.new_vmid, signal);
    const guest = guestToBe('qemu', vmid, input.name, media.node);
    const makesOne = cloudInit && (input.password ?? input.ssh_keys === undefined);
    const kept = makesOne ? await context.keepSecret(`${input.name}-${vmid}`) : undefined;
    const inside = cloudInit ? cloudInitOptions({ ...input, ...own, password: kept?.value }) : {};
    const params = { ...parameters(input, vmid, media), ...inside };
    const grows = media.image !== undefined && input.disk_gib !== undefined;
    const stages = [
      { name: 'create', write: () => pve.post(path`/nodes/${guest.node}/qemu`, params, { signal }) },
      ...(grows ? [growthOf(context, guest, input.disk_gib ?? 0)] : []),
      ...(input.start ? [startOf(context, guest)] : []),
    ];
    const facts = { password_file: kept?.file };
    const reached = await inStages(context, stages, { waitSeconds: input.wait_s, facts });
    return tellNew(context, guest, reached, {
      made: 'created',
      facts: { iso: media.iso, imported: media.image, storage: media.storage, address, user: input.user, ...facts },
      started: input.start,
      seesAddress: media.image !== undefined,
      notes,
    });
  },
});
