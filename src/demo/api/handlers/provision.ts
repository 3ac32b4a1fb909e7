import type { Guest } from '../../world.ts';
import { type Call, forBoth, type Handlers } from '../call.ts';
import { ApiError, badParameters } from '../errors.ts';

const MiB = 1024 ** 2;

function clone(call: Call, kind: Guest['kind']): string {
  call.require(`/vms/${call.int('vmid')}`, 'VM.Clone');
  call.require(`/vms/${call.int('newid')}`, 'VM.Allocate');
  const optional = (name: string): string | undefined => (call.has(name) ? call.text(name) : undefined);
  const storage = optional('storage');
  if (storage !== undefined) call.require(`/storage/${storage}`, 'Datastore.AllocateSpace');
  call.requireQuorum();
  const target = optional('target');
  if (target !== undefined && call.world.node(target) === undefined) {
    throw new ApiError(500, `no such cluster node '${target}'\n`);
  }
  const name = optional(kind === 'lxc' ? 'hostname' : 'name');
  const request = {
    newid: call.int('newid'),
    ...(name === undefined ? {} : { name }),
    ...(call.has('description') ? { description: call.text('description') } : {}),
    ...(call.has('full') ? { full: call.flag('full') } : {}),
    ...(call.has('snapname') ? { snapname: call.text('snapname') } : {}),
    ...(storage === undefined ? {} : { storage }),
    ...(target === undefined ? {} : { target }),
  };
  return call.world.clone(call.ref(kind), request, call.by).upid;
}

interface Appliance {
  readonly os: string;
  readonly kind: string;
  readonly version: string;
  readonly headline: string;
  readonly ending?: string;
}

/** Some of Proxmox's own list (recording c-aplinfo), newest releases as they were there. */
const appliances: readonly Appliance[] = [
  { os: 'debian-12', kind: 'standard', version: '12.12-1', headline: 'Debian 12 Bookworm (standard)' },
  { os: 'debian-13', kind: 'standard', version: '13.1-2', headline: 'Debian 13 Trixie (standard)' },
  { os: 'ubuntu-24.04', kind: 'standard', version: '24.04-2', headline: 'Ubuntu 24.04 Noble (standard)' },
  { os: 'ubuntu-26.04', kind: 'standard', version: '26.04-1', headline: 'Ubuntu 26.04 (standard)' },
  {
    os: 'alpine-3.22',
    kind: 'default',
    version: '20250617',
    headline: 'LXC default image for alpine 3.22',
    ending: 'xz',
  },
  {
    os: 'alpine-3.23',
    kind: 'default',
    version: '20260116',
    headline: 'LXC default image for alpine 3.23',
    ending: 'xz',
  },
  {
    os: 'rockylinux-10',
    kind: 'default',
    version: '20251001',
    headline: 'LXC default image for rockylinux 10',
    ending: 'xz',
  },
];

const fileOf = ({ os, kind, version, ending = 'zst' }: Appliance): string =>
  `${os}-${kind}_${version}_amd64.tar.${ending}`;

const row = (appliance: Appliance) => ({
  architecture: 'amd64',
  description: appliance.headline,
  headline: appliance.headline,
  infopage: 'https://pve.proxmox.com/wiki/Linux_Container#pct_supported_distributions',
  location: `http://download.proxmox.com/images/system/${fileOf(appliance)}`,
  maintainer: 'Proxmox Support Team <support@proxmox.com>',
  md5sum: 'a6148ff6f0d60e643a6e5f33497cecea',
  os: appliance.os,
  package: `${appliance.os}-${appliance.kind}`,
  section: 'system',
  sha512sum: '4c0c27ca'.repeat(16),
  source: 'http://download.proxmox.com/images',
  template: fileOf(appliance),
  type: 'lxc',
  version: appliance.version,
});

function download(call: Call): string {
  const template = call.text('template');
  const storage = call.world.storage(call.text('storage'));
  const known = appliances.find((one) => fileOf(one) === template);
  if (known === undefined) throw badParameters({ template: 'no such template' });
  if (storage === undefined) throw new ApiError(500, `storage '${call.text('storage')}' does not exist\n`);
  if (!storage.content.includes('vztmpl')) {
    throw new ApiError(500, `cannot download to storage '${storage.name}'\n`);
  }
  const node = call.text('node');
  const url = row(known).location;
  const file = `${storage.options.path ?? ''}/template/cache/${template}`;
  const run = () => {
    storage.volumes.push({
      volid: `${storage.name}:vztmpl/${template}`,
      ...(storage.shared ? {} : { node }),
      content: 'vztmpl',
      format: template.endsWith('xz') ? 'txz' : 'tzst',
      size: 120 * MiB,
      ctime: Math.floor(call.world.now() / 1000),
    });
  };
  const log = [
    `downloading ${url} to ${file}`,
    '--2026-11-20 03:10:00--  200 OK',
    `download of '${url}' to '${file}' finished`,
  ];
  return call.world.begin({ node, type: 'download', id: template, by: call.by, steps: [{ seconds: 8, run, log }] })
    .upid;
}

export const provisionHandlers: Handlers = {
  ...forBoth({
    'POST /nodes/{node}/K/{vmid}/clone': clone,
    'POST /nodes/{node}/K/{vmid}/template': (call, kind) =>
      call.world.makeTemplate(call.ref(kind), call.by)?.upid ?? null,
  }),
  'GET /nodes/{node}/aplinfo': () => appliances.map(row),
  'POST /nodes/{node}/aplinfo': download,
  'GET /cluster/replication': () => [],
};
