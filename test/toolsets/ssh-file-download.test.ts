import { createHash, randomBytes } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onDisk } from '../rig/disk.ts';
import { busyboxOnly, FileLab } from './file-lab.ts';
import { type Bench, setup, startBench } from './harness.ts';

const hash = (content: string | Buffer): string => createHash('sha256').update(content).digest('hex');

describe('ssh_file_download', () => {
  let bench: Bench;
  const base = mkdtempSync(join(tmpdir(), 'psm-transfer-'));
  const transferDir = join(base, 'files');
  beforeAll(async () => {
    bench = await startBench();
  });
  afterAll(async () => {
    rmSync(base, { recursive: true });
    await bench.stop();
  });
  const over = { setup: { ...setup, transferDir } };
  const input = { target: 'pve1', path: '/etc/hosts' };

  it('fetches a file', async () => {
    const told = await bench.call('ssh_file_download', { ...input, local_path: 'pve1/hosts' }, over);
    expect(JSON.parse(JSON.stringify(told).replaceAll(base, '…'))).toMatchInlineSnapshot(`
      {
        "facts": {
          "local_path": "…/files/pve1/hosts",
          "mode": "0644",
          "modified": "2026-11-20T03:10:00Z",
          "on": "pve1",
          "owner": "root:root",
          "path": "/etc/hosts",
          "sha256": "251d173b52e6dece28a0d9cdaa87a0e2d070a0fb6518665c7e43393fa6fed94a",
          "size": 86,
          "took": "… s",
        },
        "headline": "Fetched /etc/hosts from pve1, 86 B",
      }
    `);
    expect(readFileSync(join(transferDir, 'pve1/hosts'), 'utf8')).toContain('127.0.0.1 localhost\n');
    expect(statSync(transferDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(transferDir, 'pve1/hosts')).mode & 0o777).toBe(0o600);
  });

  it('takes the name that the file has, and replaces nothing that was not meant', async () => {
    await bench.call('ssh_file_download', input, over);
    const again = await bench.fails('ssh_file_download', input, over);
    expect(JSON.parse(JSON.stringify(again).replaceAll(base, '…'))).toMatchInlineSnapshot(`
      {
        "facts": {},
        "headline": "…/files/hosts is there already.",
        "hint": "Choose another name, or set overwrite.",
        "kind": "conflict",
      }
    `);
    await bench.call('ssh_file_download', { ...input, overwrite: true }, over);
    expect(readdirSync(transferDir).sort()).toEqual(['hosts', 'pve1']);
  });

  it('says what is wrong, and leaves nothing behind', async () => {
    symlinkSync('/tmp', join(transferDir, 'link'));
    for (const local_path of ['/etc/cron.d/x', '../x', 'link/x', 'hosts/x']) {
      const failure = await bench.fails('ssh_file_download', { ...input, local_path }, over);
      expect(JSON.parse(JSON.stringify(failure).replaceAll(base, '…'))).toMatchSnapshot();
    }
    expect(await bench.fails('ssh_file_download', { ...input, path: '/etc/nosuch' }, over)).toMatchObject({
      kind: 'not-found',
    });
    expect(await bench.fails('ssh_file_download', { ...input, target: 'vm/200' }, over)).toMatchObject({
      kind: 'invalid-input',
    });
    expect(readdirSync(transferDir).sort()).toEqual(['hosts', 'link', 'pve1']);
  });
});

const places = ['psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash', 'ct/101', 'ct/102'];

describe.each([
  ['the usual programs', {}],
  ["busybox's programs only", busyboxOnly],
])('ssh_file_download over OpenSSH with %s', (_, options) => {
  let lab: FileLab;
  const content = randomBytes(5_000_001);
  beforeAll(async () => {
    lab = await FileLab.start(options);
    writeFileSync(join(lab.folder, 'big'), content);
    for (const vmid of [101, 102]) lab.sh(`cp "$F/big" "${lab.sshd.rootOf(vmid)}/root/big"`);
  });
  afterAll(() => lab.stop());

  const big = () => join(lab.folder, 'big');
  const download = (input: object) => lab.call('download', { target: 'psm-dash', path: big(), ...input });
  const got = (name: string) => readFileSync(join(lab.transfer, name));

  it('brings every byte, from every kind of place', async () => {
    for (const target of places) {
      const name = target.replace('/', '');
      const told = await download({ target, path: target.startsWith('ct/') ? '/root/big' : big(), local_path: name });
      expect(told.facts, target).toMatchObject({ size: content.length, sha256: hash(content) });
      expect(got(name).equals(content), target).toBe(true);
    }
  });

  it('fetches as root what the login may not read, and files that say they are empty', async () => {
    lab.sh('cd "$F" && echo secret >own && chmod 600 own && : >nothing');
    const path = join(lab.folder, 'own');
    expect(await lab.fails('download', { target: 'psm-dash', path })).toMatchObject({ kind: 'permission' });
    await download({ path, sudo: true });
    expect(got('own').toString()).toBe('secret\n');
    const proc = await download({ path: '/proc/sys/kernel/ostype' });
    expect(got('ostype').toString()).toBe('Linux\n');
    expect(proc.facts.notes).toEqual(['The host told no sha256 of it: it was not compared.']);
    await download({ path: join(lab.folder, 'nothing') });
    expect(got('nothing')).toHaveLength(0);
  });

  it('goes on from what is there when it is the same, else anew', async () => {
    const key = createHash('sha256')
      .update(JSON.stringify(['psm-dash', big()]))
      .digest('hex')
      .slice(0, 16);
    for (const [part, resumed] of [
      [content.subarray(0, 2_000_000), '1.9 MiB'],
      [randomBytes(2_000_000), undefined],
    ] as const) {
      writeFileSync(join(lab.transfer, `.psm-${key}.part`), part);
      const told = await download({ local_path: 'resumed', overwrite: true });
      expect(told.facts).toMatchObject({ sha256: hash(content) });
      expect(told.facts.resumed_at).toBe(resumed);
      expect(told.facts.begun_anew).toBe(resumed ? undefined : 'what was cut before was of another content');
      expect(got('resumed').equals(content)).toBe(true);
    }
  });

  it('leaves nothing of a file that changes, and takes of one that grows what there was', async () => {
    const path = join(lab.folder, 'changing');
    for (const [change, grows] of [
      [() => writeFileSync(path, randomBytes(100), { flag: 'r+' }), false],
      [() => appendFileSync(path, 'more'), true],
    ] as const) {
      writeFileSync(path, content);
      let changed = false;
      const over = lab.over({
        progress: (message) => {
          if (changed || !message.startsWith('received')) return;
          changed = true;
          change();
        },
      });
      const input = { target: 'root', path, local_path: 'seen' };
      if (grows) {
        expect((await lab.call('download', input, over)).facts.size).toBe(content.length);
        expect(got('seen').equals(content)).toBe(true);
      } else {
        const failure = await lab.fails('download', input, over);
        expect(failure).toMatchObject({
          kind: 'conflict',
          headline: expect.stringContaining('changed while it was read'),
        });
      }
      expect(changed).toBe(true);
      expect(readdirSync(lab.transfer).filter((name) => name.startsWith('.psm'))).toEqual([]);
    }
  });

  it('leaves the file as it was when the local disk is full, and no part on it', async () => {
    await onDisk(join(lab.folder, 'full'), 1_024, async ({ folder }) => {
      writeFileSync(join(folder, 'file'), 'old');
      const over = lab.over({ setup: { ...setup, transferDir: folder } });
      const input = { target: 'psm-dash', path: big(), local_path: 'file', overwrite: true };
      expect(await lab.fails('download', input, over)).toMatchObject({
        kind: 'misconfigured',
        headline: `There is no room for ${folder}/file.`,
      });
      expect(readdirSync(folder)).toEqual(['file']);
      expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('old');
    });
  });

  it('lets all of many win, each whole, when they fetch at once', async () => {
    const ends = await Promise.all([0, 1, 2, 3].map(() => download({ local_path: 'many', overwrite: true })));
    expect(ends).toHaveLength(4);
    expect(got('many').equals(content)).toBe(true);
    const made = await Promise.allSettled([0, 1, 2, 3].map(() => download({ local_path: 'made' })));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(got('made').equals(content)).toBe(true);
  });
});
