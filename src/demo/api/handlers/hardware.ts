import type { DemoNode } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { ApiError } from '../errors.ts';
import { release } from './cluster.ts';

interface Disk {
  readonly devpath: string;
  readonly model: string;
  readonly size: number;
  readonly used: string;
  readonly health: 'PASSED' | 'UNKNOWN';
  /** Percent of its life that a solid-state disk has left. */
  readonly wearout: number | 'N/A';
  readonly type: 'nvme' | 'ssd' | 'hdd';
  readonly serial: string;
}

const row = ({ type, ...disk }: Disk) => ({
  ...disk,
  gpt: 1,
  'osdid-list': null,
  osdid: -1,
  rpm: type === 'hdd' ? 7200 : 0,
  type,
  vendor: 'unknown',
  wwn: 'unknown',
  ...(disk.used === 'BIOS boot' ? { mounted: 1 } : {}),
});

const disksOf = ({ name }: DemoNode): Disk[] => {
  const nvme: Disk = {
    devpath: '/dev/nvme0n1',
    model: 'Samsung SSD 980 PRO 500GB',
    size: 500_107_862_016,
    used: 'BIOS boot',
    health: 'PASSED',
    wearout: 94,
    type: 'nvme',
    serial: `S5GX${name.toUpperCase()}`,
  };
  const zfs = ['/dev/sda', '/dev/sdb'].map((devpath, i): Disk => {
    const serial = `WD-${name.toUpperCase()}${i}`;
    const model = 'WDC WD10EFRX-68FYTN0';
    const size = 1_000_204_886_016;
    return { devpath, model, size, used: 'ZFS', health: 'PASSED', wearout: 'N/A', type: 'hdd', serial };
  });
  return [nvme, ...zfs];
};

/** Allowed by Sys.Audit on / or on the node; a denial by such a choice names neither (PVE::RPCEnvironment). */
function disks(call: Call): unknown[] {
  const path = `/nodes/${call.text('node')}`;
  if (!call.who.may('/', 'Sys.Audit') && !call.who.may(path, 'Sys.Audit')) {
    throw new ApiError(403, 'Permission check failed\n');
  }
  return call.text('type') === 'unused' ? [] : disksOf(call.node).map(row);
}

const installed = (Package: string, OldVersion: string, Version = OldVersion, Origin = 'Proxmox') => ({
  Arch: 'amd64',
  CurrentState: 'Installed',
  Description: Package,
  OldVersion,
  Origin,
  Package,
  Priority: 'optional',
  Section: 'admin',
  Title: Package,
  Version,
});

/** The packages that `pveversion -v` lists, cut down to some (recording c-apt). */
function versions({ node }: Call): unknown[] {
  const { OldVersion: _, ...ceph } = installed('ceph-fuse', '', '18.2.7+ds-1+deb13u1', 'Debian');
  return [
    { ...installed('proxmox-ve', '9.2.0'), RunningKernel: node.kernel },
    { ...installed('pve-manager', release.version, '9.2.12'), ManagerVersion: `${release.version}/${release.repoid}` },
    { ...ceph, CurrentState: 'NotInstalled' },
    installed('corosync', '3.1.9-2+deb13u1', undefined, 'Debian'),
    installed('lxc-pve', '6.0.5-3'),
    installed('pve-qemu-kvm', '10.1.2-3'),
    installed('qemu-server', '9.2.6', '9.2.7'),
    installed('zfsutils-linux', '2.3.4-pve1'),
  ];
}

export const hardwareHandlers: Handlers = {
  'GET /nodes/{node}/apt/versions': versions,
  'GET /nodes/{node}/disks/list': disks,
};
