import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rotatedOf } from '../../src/log/files.ts';
import { headPlace } from '../../src/log/head.ts';
import { verify } from '../../src/log/verify.ts';
import { figure } from '../figures.ts';
import { type Disk, onDisk } from '../rig/disk.ts';
import { mayTrace, spoiled } from '../rig/strace.ts';
import { type Connected, connect, eras, type Launch } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

let dc: Datacentre;
const clients: Connected[] = [];
beforeAll(async () => {
  dc = await startDatacentre();
});
afterEach(async () => {
  await Promise.allSettled(clients.splice(0).map((client) => client.close()));
});
afterAll(() => dc.stop());

async function client(launch: Launch, era: (typeof eras)[number] = 'v2-2026'): Promise<Connected> {
  const made = await connect(era, launch, () => ({ action: 'accept', content: { confirm: true } }));
  clients.push(made);
  return made;
}

/** A folder of its own for an audit, and how to start a server that writes there. */
async function auditIn(name: string, settings: Record<string, string> = {}) {
  const folder = join(dc.dir, name);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'audit.jsonl');
  const launch = await dc.launch({ MCP_AUDIT_FILE: file, ...settings });
  const lines = (): Record<string, unknown>[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const findings = async () =>
    (await verify(headPlace(join(dc.dir, '.local/state/proxmox-ssh-mcp-seals'), file))).findings;
  return { folder, file, launch, lines, findings };
}

const writes = (): number => dc.writes().length;
let taken = 0;
/** A change that can be made as often as wanted. */
const snapshot = (): readonly [string, Record<string, unknown>] => {
  taken += 1;
  return ['pve_snapshot_create', { guest: 400, name: `again${taken}` }];
};

describe('the audit of a session', () => {
  it.each(eras)(
    'says who asked, in which protocol and mode, about what, and how it was let through (%s)',
    async (era) => {
      const { launch, lines, findings } = await auditIn(`who-${era}`);
      const mcp = await client(launch, era);
      await mcp.call('ssh_exec', { target: 'pve1', script: 'echo hello' });
      await mcp.call('pve_snapshot_create', { guest: 400, name: `s-${era}` });
      const gone = await mcp.call('pve_snapshot_rollback', { guest: 400, snapshot: `s-${era}` });
      expect(gone.text).not.toContain('refused');
      await mcp.close();
      const first = { client: 'e2e 1.0.0', mode: 'guarded', protocol: era === 'v2-2026' ? '2026-07-28' : '2025-11-25' };
      expect(lines().map(({ kind, tool, about, approved }) => [kind, tool, about, approved])).toEqual([
        ['intent', 'ssh_exec', 'pve1', 'mode'],
        ['outcome', 'ssh_exec', undefined, undefined],
        ['intent', 'pve_snapshot_create', '400', 'mode'],
        ['outcome', 'pve_snapshot_create', undefined, undefined],
        ['asked', 'pve_snapshot_rollback', '400', undefined],
        ['intent', 'pve_snapshot_rollback', '400', 'confirmed'],
        ['outcome', 'pve_snapshot_rollback', undefined, undefined],
      ]);
      const [exec, done, , , asked, confirmed] = lines();
      for (const line of [exec, asked, confirmed]) expect(line).toMatchObject(first);
      expect(asked?.question).toBe(confirmed?.question);
      // printf 'echo hello' | sha256sum; echo hello | sha256sum
      expect(exec?.command).toEqual({ script: '584a331fd6b02dcb1ecbe2eba731f609a2e1e3dac0bb73ae998dfad14c309a77' });
      expect(done).toMatchObject({
        exitCode: 0,
        verdict: 'ok',
        output: { stdout: { bytes: 6, sha256: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03' } },
      });
      expect(await findings()).toEqual([]);
    },
  );
});

describe('guarantee 22: on a disk that is full', () => {
  it('changes are refused with the cure, also when the file is to be rotated; reads go on, and nothing is lost', async () => {
    const { folder, file, launch, findings } = await auditIn('full', { MCP_AUDIT_MAX_MIB: '1' });
    await onDisk(folder, 2_048, async (disk) => {
      const mcp = await client(launch);
      try {
        await snapped(mcp);
        await refusedOn(disk, mcp, file);
        // Grown to what it may be: it would be rotated now.
        writeFileSync(file, '\n'.repeat(1024 * 1024), { flag: 'a' });
        await refusedOn(disk, mcp, file);
        await snapped(mcp);
        await mcp.close();
        expect(rotatedOf(file)).toHaveLength(1);
        expect(await findings()).toEqual([]);
      } finally {
        await mcp.close();
      }
    });
    figure(22, '40 changes on a full disk: 40 refused, 0 sent');
  });
});

/** Takes one, which reaches the API. */
async function snapped(mcp: Connected): Promise<void> {
  const before = writes();
  expect((await mcp.call(...snapshot())).isError).toBe(false);
  expect(writes()).toBe(before + 1);
}

/** Fills the disk and the last page of the file, and has 20 changes refused on it. */
async function refusedOn(disk: Disk, mcp: Connected, file: string): Promise<void> {
  const before = writes();
  disk.fill(0);
  while (statSync(file).size % 4096 !== 0) writeFileSync(file, '\n', { flag: 'a' });
  for (let i = 0; i < 20; i += 1) {
    const { isError, text } = await mcp.call(...snapshot());
    expect(isError && text).toContain(`The audit file ${file} cannot be written (ENOSPC`);
    expect(text).toContain('Make room on the disk or set MCP_AUDIT_FILE');
  }
  expect(writes()).toBe(before);
  expect((await mcp.call('pve_guest_get', { guest: 400 })).isError).toBe(false);
  disk.empty();
}

describe.runIf(mayTrace())('guarantee 22: the intent is on the disk before the act', () => {
  const traced = (launch: Launch, file: string, instead: 'EIO' | 'SIGKILL'): Launch => {
    const [command = '', ...args] = spoiled([launch.command, ...launch.args], {
      call: 'fdatasync',
      path: file,
      instead,
    });
    return { ...launch, command, args };
  };

  it('a disk that does not take it: refused, nothing was sent', async () => {
    const { file, launch } = await auditIn('eio');
    writeFileSync(file, '', { mode: 0o600 });
    const mcp = await client(traced(launch, file, 'EIO'));
    const before = writes();
    const { isError, text } = await mcp.call(...snapshot());
    expect(isError && text).toContain('cannot be written (EIO');
    expect(writes()).toBe(before);
  });

  it('killed while it goes to the disk: nothing was sent; killed in the act: it is unfinished', async () => {
    const { file, launch, lines, findings } = await auditIn('kill');
    writeFileSync(file, '', { mode: 0o600 });
    const before = writes();
    const mcp = await client(traced(launch, file, 'SIGKILL'));
    await expect(mcp.call(...snapshot())).rejects.toThrow();
    expect(writes()).toBe(before);
    truncateSync(file);
    const other = await client(launch);
    const sleeping = other.call('ssh_exec', { target: 'pve1', script: 'sleep 30' }).catch((error: Error) => error);
    while (lines().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    process.kill(other.pid, 'SIGKILL');
    expect(await sleeping).toBeInstanceOf(Error);
    expect(lines().map(({ kind, tool }) => [kind, tool])).toEqual([['intent', 'ssh_exec']]);
    expect(await findings()).toEqual([]);
  });
});
