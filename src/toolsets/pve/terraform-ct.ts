import { sizeInBytes } from './disks.ts';
import { block, type HclBody } from './hcl.ts';
import { type Common, datastoreOf, dns, ipConfig, nameOf, numberOf, yesNo } from './terraform-parts.ts';

/** The keys that the body below says all of. */
const covered =
  /^(arch|cores|cpulimit|cpuunits|features|memory|nameserver|onboot|ostype|protection|rootfs|searchdomain|startup|swap|tags|unprivileged|(mp|net)\d+)$/;

/** What a container has that a VM has not. Its template is nowhere told, so `operating_system` is not written. */
export function containerBody(common: Common): { readonly body: HclBody; readonly covered: RegExp } {
  const { guest, text, number, keys, parts } = common;
  const cards = keys(/^net\d+$/).map(parts);
  const body: HclBody = [
    ['unprivileged', number('unprivileged') === 1],
    ['start_on_boot', number('onboot') === 1],
    [
      'cpu',
      block(
        ['architecture', text('arch')],
        ['cores', number('cores')],
        ['limit', number('cpulimit')],
        ['units', number('cpuunits')],
      ),
    ],
    ['memory', block(['dedicated', number('memory')], ['swap', number('swap')])],
    ['features', features(parts('features'))],
    [
      'initialization',
      block(
        ['hostname', nameOf(guest)],
        ['dns', dns(common)],
        ...cards.map((card) => ['ip_config', ipConfig(card)] as const),
      ),
    ],
    ...cards.map((card) => ['network_interface', networkInterface(card)] as const),
    ['disk', disk(parts('rootfs'))],
    ...keys(/^mp\d+$/).map((key) => ['mount_point', mountPoint(parts(key))] as const),
  ];
  return { body, covered };
}

type Parts = ReadonlyMap<string, string>;

const features = (parts: Parts) =>
  block(
    ['nesting', yesNo(parts.get('nesting'))],
    ['keyctl', yesNo(parts.get('keyctl'))],
    ['fuse', yesNo(parts.get('fuse'))],
    ['mount', parts.get('mount')?.split(';')],
  );

const networkInterface = (parts: Parts) =>
  block(
    ['name', parts.get('name')],
    ['bridge', parts.get('bridge')],
    ['mac_address', parts.get('hwaddr')],
    ['firewall', yesNo(parts.get('firewall'))],
    ['vlan_id', numberOf(parts.get('tag'))],
    ['mtu', numberOf(parts.get('mtu'))],
    ['rate_limit', numberOf(parts.get('rate'))],
  );

function disk(parts: Parts) {
  const bytes = sizeInBytes(parts.get('size'));
  return block(
    ['datastore_id', datastoreOf(parts.get('') ?? parts.get('volume'))],
    ['size', bytes === undefined ? undefined : Math.ceil(bytes / 1024 ** 3)],
    ['quota', yesNo(parts.get('quota'))],
    ['replicate', yesNo(parts.get('replicate'))],
  );
}

const mountPoint = (parts: Parts) =>
  block(
    ['volume', parts.get('') ?? parts.get('volume')],
    ['path', parts.get('mp')],
    ['size', parts.get('size')],
    ['acl', yesNo(parts.get('acl'))],
    ['backup', yesNo(parts.get('backup'))],
    ['quota', yesNo(parts.get('quota'))],
    ['read_only', yesNo(parts.get('ro'))],
    ['replicate', yesNo(parts.get('replicate'))],
    ['shared', yesNo(parts.get('shared'))],
  );
