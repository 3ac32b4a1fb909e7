import { describe, expect, it } from 'vitest';
import { nearestTo } from '../../src/pve/nearest.ts';
import { fileCalled, fileOf, filesNamed } from '../../src/toolsets/pve/named-files.ts';

const files = [
  'debian-12-standard_12.12-1_amd64.tar.zst',
  'debian-13-standard_13.9-1_amd64.tar.zst',
  'debian-13-standard_13.10-1_amd64.tar.zst',
  'debian-12-turnkey-gitlab_18.1-1_amd64.tar.gz',
  'ubuntu-24.04-standard_24.04-2_amd64.tar.zst',
  'ubuntu-26.04-standard_26.04-1_amd64.tar.zst',
];
const named = (wanted: string) => filesNamed(files, (file) => file, wanted);

describe('a file by its name', () => {
  it.each([
    ['debian-13', 'debian-13-standard_13.10-1_amd64.tar.zst'],
    ['Debian 12 standard', 'debian-12-standard_12.12-1_amd64.tar.zst'],
    ['ubuntu-24', 'ubuntu-24.04-standard_24.04-2_amd64.tar.zst'],
    ['ubuntu', 'ubuntu-26.04-standard_26.04-1_amd64.tar.zst'],
    ['turnkey-gitlab', 'debian-12-turnkey-gitlab_18.1-1_amd64.tar.gz'],
    ['debian-13-standard_13.9-1_amd64.tar.zst', 'debian-13-standard_13.9-1_amd64.tar.zst'],
  ])('%s is %s', (wanted, file) => expect(named(wanted)[0]).toBe(file));

  it.each(['debian-1', 'ubuntu-2', 'fedora', '', ' - '])('"%s" is none', (wanted) => expect(named(wanted)).toEqual([]));

  it('is found on each node by the volume that the node has, or by its volume id alone', () => {
    const volumes = [
      { volid: 'local:iso/a-1.iso', storage: 'local', nodes: ['pve1'] },
      { volid: 'nas:iso/a-1.iso', storage: 'nas', nodes: ['pve1', 'pve2'] },
    ];
    const some = fileCalled(volumes, 'a');
    expect([some?.file, some?.volidOn('pve2'), some?.volidOn('pve3')]).toEqual([
      'a-1.iso',
      'nas:iso/a-1.iso',
      undefined,
    ]);
    expect(fileCalled(volumes, 'local:iso/a-1.iso')?.volidOn('pve2')).toBeUndefined();
    expect(fileCalled(volumes, 'local:iso/b.iso')).toBeUndefined();
    expect(fileOf('pbs:backup/x')).toBe('x');
  });

  it('has nearest names: those that hold it first, each once', () => {
    expect(nearestTo('gitlab', [...files, ...files], 1)).toEqual(['debian-12-turnkey-gitlab_18.1-1_amd64.tar.gz']);
    expect(nearestTo('debain-12', files, 2)).toEqual([
      'debian-12-standard_12.12-1_amd64.tar.zst',
      'debian-12-turnkey-gitlab_18.1-1_amd64.tar.gz',
    ]);
  });
});
