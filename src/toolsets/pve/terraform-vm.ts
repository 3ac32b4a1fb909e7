import { sizeInBytes } from './disks.ts';
import { block, type HclBody } from './hcl.ts';
import { type Common, datastoreOf, dns, ipConfig, nameOf, numberOf, yesNo } from './terraform-parts.ts';

/** The keys that the body below says all of. */
const covered =
  /^(agent|balloon|bios|boot|cores|cpu|cpulimit|cpuunits|machine|memory|nameserver|onboot|ostype|protection|scsihw|searchdomain|sockets|startup|tags|vga|efidisk0|tpmstate0|(ide|ipconfig|net|sata|scsi|serial|virtio)\d+)$/;

/** What a VM has that a container has not. */
export function machineBody(common: Common): { readonly body: HclBody; readonly covered: RegExp } {
  const { guest, text, number, keys, parts } = common;
  const drives = keys(/^(ide|sata|scsi|virtio)\d+$/).map((key) => ({ key, parts: parts(key) }));
  const isCd = ({ parts }: Drive): boolean => parts.get('media') === 'cdrom';
  const isCloudInit = ({ parts }: Drive): boolean => /cloudinit/.test(parts.get('') ?? parts.get('file') ?? '');
  const body: HclBody = [
    ['name', nameOf(guest)],
    ['on_boot', number('onboot') === 1],
    ['bios', text('bios')],
    ['machine', text('machine')],
    ['scsi_hardware', text('scsihw')],
    ['boot_order', bootOrder(parts('boot').get('order'))],
    ['agent', agent(parts('agent'))],
    ['cpu', cpu(common)],
    ['memory', block(['dedicated', number('memory')], ['floating', number('balloon')])],
    ['operating_system', block(['type', text('ostype')])],
    ['efi_disk', efiDisk(parts('efidisk0'))],
    [
      'tpm_state',
      block(['datastore_id', volumeOf(parts('tpmstate0')).datastore], ['version', parts('tpmstate0').get('version')]),
    ],
    ...drives.filter((one) => !isCd(one)).map((one) => ['disk', disk(one)] as const),
    ...drives.filter((one) => isCd(one) && !isCloudInit(one)).map((one) => ['cdrom', cdrom(one)] as const),
    ['initialization', initialization(common, drives.find(isCloudInit))],
    ...keys(/^net\d+$/).map((key) => ['network_device', networkDevice(parts(key))] as const),
    ...keys(/^serial\d+$/).map((key) => ['serial_device', block(['device', text(key)])] as const),
    [
      'vga',
      block(
        ['type', parts('vga').get('') ?? parts('vga').get('type')],
        ['memory', numberOf(parts('vga').get('memory'))],
      ),
    ],
  ];
  return { body, covered };
}

type Parts = ReadonlyMap<string, string>;

interface Drive {
  readonly key: string;
  readonly parts: Parts;
}

const bootOrder = (order: string | undefined): string[] | undefined => order?.split(';').filter((one) => one !== '');

const agent = (parts: Parts) =>
  block(
    ['enabled', yesNo(parts.get('') ?? parts.get('enabled'))],
    ['trim', yesNo(parts.get('fstrim_cloned_disks'))],
    ['type', parts.get('type')],
  );

const cpu = ({ number, parts }: Common) =>
  block(
    ['cores', number('cores')],
    ['sockets', number('sockets')],
    ['type', parts('cpu').get('') ?? parts('cpu').get('cputype')],
    ['flags', parts('cpu').get('flags')?.split(';')],
    ['limit', number('cpulimit')],
    ['units', number('cpuunits')],
  );

function volumeOf(parts: Parts): { readonly volume?: string; readonly datastore?: string; readonly format?: string } {
  const volume = parts.get('') ?? parts.get('file');
  return { volume, datastore: datastoreOf(volume), format: /\.(qcow2|raw|vmdk)$/.exec(volume ?? '')?.[1] };
}

const efiDisk = (parts: Parts) =>
  block(
    ['datastore_id', volumeOf(parts).datastore],
    ['file_format', volumeOf(parts).format],
    ['type', parts.get('efitype')],
    ['pre_enrolled_keys', yesNo(parts.get('pre-enrolled-keys'))],
  );

function disk({ key, parts }: Drive) {
  const { datastore, format } = volumeOf(parts);
  const bytes = sizeInBytes(parts.get('size'));
  const flag = (name: string): boolean | undefined => yesNo(parts.get(name));
  return block(
    ['interface', key],
    ['datastore_id', datastore],
    ['file_format', format ?? 'raw'],
    ['size', bytes === undefined ? undefined : Math.ceil(bytes / 1024 ** 3)],
    ['aio', parts.get('aio')],
    ['backup', flag('backup')],
    ['cache', parts.get('cache')],
    ['discard', parts.get('discard')],
    ['iothread', flag('iothread')],
    ['replicate', flag('replicate')],
    ['serial', parts.get('serial')],
    ['ssd', flag('ssd')],
  );
}

const cdrom = ({ key, parts }: Drive) => block(['interface', key], ['file_id', volumeOf(parts).volume]);

/** Cloud-init: the user, his password and his keys are not told. */
function initialization(common: Common, drive: Drive | undefined) {
  const { keys, parts } = common;
  return block(
    ['datastore_id', drive && volumeOf(drive.parts).datastore],
    ['interface', drive?.key],
    ['dns', dns(common)],
    ...keys(/^ipconfig\d+$/).map((key) => ['ip_config', ipConfig(parts(key))] as const),
  );
}

const models = ['virtio', 'e1000', 'e1000e', 'rtl8139', 'vmxnet3'];

/** Proxmox VE writes the model and its MAC as one part: `virtio=BC:24:11:…`. */
function networkDevice(parts: Parts) {
  const model = models.find((one) => parts.has(one)) ?? parts.get('model') ?? parts.get('');
  return block(
    ['model', model],
    ['mac_address', parts.get(model ?? '') ?? parts.get('macaddr')],
    ['bridge', parts.get('bridge')],
    ['disconnected', yesNo(parts.get('link_down'))],
    ['firewall', yesNo(parts.get('firewall'))],
    ['vlan_id', numberOf(parts.get('tag'))],
    ['trunks', parts.get('trunks')],
    ['mtu', numberOf(parts.get('mtu'))],
    ['queues', numberOf(parts.get('queues'))],
    ['rate_limit', numberOf(parts.get('rate'))],
  );
}
