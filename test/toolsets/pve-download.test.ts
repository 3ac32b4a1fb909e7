import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Bench, startBench, toolNamed } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

const download = (input: Record<string, unknown>) => bench.call('pve_download', input);
const fails = (input: Record<string, unknown>) => bench.fails('pve_download', input);
const sent = () => bench.world.requests.findLast(({ method }) => method === 'POST')?.params;

const url = 'https://cdimage.debian.org/debian-cd/13.2.0/amd64/iso-cd/debian-13.2.0-amd64-netinst.iso';
const checksum = '677C4D57AA034DC192B5191870141057574C1B05DF2B9569C0EE08AA4E32125D';
const image = 'https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2';

describe('pve_download', () => {
  it('downloads an ISO image to the roomiest storage and has its sum checked: one write', async () => {
    expect(await download({ url, checksum })).toMatchInlineSnapshot(`
      {
        "facts": {
          "announced_size": "784 MiB",
          "announced_type": {
            "remote": "application/x-iso9660-image",
          },
          "checksum_checked": true,
          "node": "pve1",
          "size": "784 MiB",
          "task_state": "ok",
          "upid": "UPID:pve1:…:download:debian-13.2.0-amd64-netinst.iso:root@pam!mcp:",
          "volume": "nas:iso/debian-13.2.0-amd64-netinst.iso",
          "waited": "… s",
        },
        "headline": "nas:iso/debian-13.2.0-amd64-netinst.iso downloaded, 784 MiB",
      }
    `);
    expect(bench.writes()).toEqual(['POST /nodes/pve1/storage/nas/download-url']);
    expect(sent()).toMatchInlineSnapshot(`
      {
        "checksum": "677c4d57aa034dc192b5191870141057574c1b05df2b9569c0ee08aa4e32125d",
        "checksum-algorithm": "sha256",
        "content": "iso",
        "filename": "debian-13.2.0-amd64-netinst.iso",
        "url": "https://cdimage.debian.org/debian-cd/13.2.0/amd64/iso-cd/debian-13.2.0-amd64-netinst.iso",
      }
    `);
  });

  it('refuses a name that is taken before anything is written', async () => {
    expect(await fails({ url })).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "nas:iso/debian-13.2.0-amd64-netinst.iso is there already (784 MiB). Nothing was downloaded.",
        "hint": "Use it, give another filename, or delete it first with pve_volume_delete.",
        "kind": "conflict",
      }
    `);
    expect((await download({ url, filename: 'debian netinst.iso' })).facts).toMatchObject({
      volume: 'nas:iso/debian_netinst.iso',
      notes: ['No checksum was given: nothing says that the file is the right one.'],
    });
    expect(bench.writes()).toHaveLength(1);
  });

  it("downloads a template of Proxmox's own list by the beginning of its name", async () => {
    const { facts } = await download({ template: 'ubuntu-24', node: 'pve2' });
    expect(facts).toMatchObject({
      volume: 'local:vztmpl/ubuntu-24.04-standard_24.04-2_amd64.tar.zst',
      node: 'pve2',
      checksum_checked: true,
    });
    expect(bench.writes()).toEqual(['POST /nodes/pve2/aplinfo']);
    expect(await fails({ template: 'ubunto-24', node: 'pve2' })).toMatchObject({
      kind: 'not-found',
      hint: expect.stringContaining('ubuntu-24.04-standard'),
    });
  });

  it('asks which node is to have it, and knows what cannot hold it', async () => {
    expect(await fails({ template: 'debian-12' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "candidates": [
            "pve1",
            "pve2",
          ],
        },
        "headline": "Each of pve1, pve2 has a storage of its own for this: local.",
        "hint": "Say with node which of them is to have the file.",
        "kind": "ambiguous",
      }
    `);
    expect(await fails({ url, storage: 'local-lvm' })).toMatchObject({
      kind: 'not-found',
      headline: expect.stringContaining('Storage "local-lvm" cannot hold iso on pve1'),
    });
    expect(await fails({ url, node: 'pve9' })).toMatchObject({ hint: 'The nodes are: pve1, pve2.' });
    bench.world.storage('nas')?.content.push('import');
    expect((await download({ url: image })).facts).toMatchObject({ size: '330 MiB' });
    expect(bench.writes()).toHaveLength(1);
  });

  it('tells a wrong sum and an unreachable server in the words of Proxmox VE', async () => {
    expect(await fails({ url, checksum: '0'.repeat(64), filename: 'wrong.iso' })).toMatchObject({
      kind: 'task-failed',
      headline: expect.stringContaining("checksum mismatch: got '677c4d57"),
    });
    bench.forget();
    expect(await fails({ url: 'http://10.0.2.9/x.iso' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "exit_status": {
            "remote": "download failed: Connecting to 10.0.2.9:80... failed: No route to host.",
          },
          "log": {
            "remote": "downloading http://10.0.2.9/x.iso to /mnt/pve/nas/template/iso/x.iso
      --2026-11-20 03:10:00--  http://10.0.2.9/x.iso
      TASK ERROR: download failed: Connecting to 10.0.2.9:80... failed: No route to host.",
          },
          "node": "pve1",
          "type": "download",
          "upid": "UPID:pve1:…:download:x.iso:root@pam!mcp:",
        },
        "headline": "Task download x.iso on pve1 failed: download failed: Connecting to 10.0.2.9:80... failed: No route to host..",
        "hint": "The end of its log tells more.",
        "kind": "task-failed",
      }
    `);
    expect(bench.writes()).toHaveLength(1);
  });

  it.each([
    [{}, 'Either a url'],
    [{ url, template: 'debian-13' }, 'Either a url'],
    [{ template: 'debian-13', checksum: 'aa' }, 'Either a url'],
    [{ url: 'https://[/x.iso' }, 'is no URL'],
    [{ url: 'https://example.org/%zz' }, 'cannot be told from its name'],
    [{ url: 'https://u:p@example.org/x.iso' }, 'user name or password'],
    [{ url: 'https://example.org/noble-server-cloudimg-amd64.img' }, 'cannot be told from its name'],
    [{ url: image, content: 'iso' }, 'is no name for iso'],
    [{ url, checksum: 'abc' }, 'of no known kind'],
  ])('refuses %j', async (input, message) => {
    expect(await fails(input)).toMatchObject({ kind: 'invalid-input', headline: expect.stringContaining(message) });
    expect(bench.writes()).toEqual([]);
  });

  it('goes on without what a token may not ask, and names what it lacks', async () => {
    const pve = bench.as('mcp@pve!auditor');
    const wanted = { url, filename: 'other.iso' };
    expect(await bench.fails('pve_download', wanted, { pve })).toMatchObject({
      kind: 'permission',
      headline: expect.stringContaining('Datastore.AllocateTemplate'),
    });
  });

  it('can be asked about', async () => {
    const { message } = await bench.preview('pve_download', { url, filename: 'third.iso' });
    expect(message).toBe(`Download nas:iso/third.iso to node pve1 from ${url}.`);
    expect(bench.writes()).toEqual([]);
  });

  it.each([
    ['http://169.254.169.254/latest/x.iso', true],
    ['http://2852039166/x.iso', true],
    ['http://0x7f.1/x.iso', true],
    ['http://LOCALHOST:85/x.iso', true],
    ['http://[::1]:8006/x.iso', true],
    ['http://[::ffff:169.254.169.254]/x.iso', true],
    ['http://[fe80::1]/x.iso', true],
    ['http://192.168.1.10/x.iso', false],
    ['http://localhost.example.org/x.iso', false],
    [url, false],
  ])('%s would be asked about even where downloads are not: %s', (from, asked) => {
    expect(toolNamed('pve_download').alarm?.({ url: from })?.includes('from itself') ?? false).toBe(asked);
  });
});
