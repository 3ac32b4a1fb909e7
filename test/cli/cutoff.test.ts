import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tally } from '../figures.ts';
import { byPreload, byStrace, type Call, type Cutter, type Instead } from '../rig/cutoff.ts';
import { anyDisk, limitedDisk } from '../rig/disk.ts';
import { mayTrace } from '../rig/strace.ts';
import { readTree, type Tree, writeTree } from '../rig/tree.ts';
import { bin } from './cli.ts';

/** Members of others, in an order and with spaces that no program would write, and a number that none could keep. */
const HEAD = '{\n  "numStartups": 7, "odd":  [1,2],\n  "big": 12345678901234567890.10,\n';
const TAIL = '  "oauthAccount": { "emailAddress": "me@example.com" }\n}\n';
const OLD = '"proxmox": { "command": "node", "args": ["index.js"], "env": { "PROXMOX_HOST": "10.1.2.3" } }';
const CLAUDE = `${HEAD}  "mcpServers": {\n    ${OLD},\n    "x":  {"command":"y"}\n  },\n${TAIL}`;

/** The same, but longer than a page of a disk. */
const LONG = `${HEAD}  "history": "${'long '.repeat(2_000)}",\n${CLAUDE.slice(HEAD.length)}`;

/** Several places to work in at once, because most of the time is Node's own start. */
const LANES = 3;
let folder: string;
let lanes: readonly string[];

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'psm-cutoff-')));
  lanes = Array.from({ length: LANES }, (_, i) => join(folder, `home${i}`));
  for (const home of lanes) mkdirSync(home);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A home in which Claude Code was used; its file is a link into a folder of dotfiles. */
function fresh(home: string, claude = CLAUDE): void {
  writeTree(home, {
    '.claude.json': 'link dotfiles/claude.json',
    '.config': 'folder 755',
    dotfiles: 'folder 755',
    'dotfiles/claude.json': `file 640 ${claude}`,
    token: 'file 600 11111111-2222-4333-8444-555555555555',
  });
}
const settings = (home: string) => {
  mkdirSync(join(home, '.config/proxmox-ssh-mcp'), { mode: 0o700 });
  writeFileSync(join(home, '.config/proxmox-ssh-mcp/.env'), '', { mode: 0o600 });
};
const tree = (home: string): Tree => readTree(home, (name) => name.startsWith('.local') || name.startsWith('.cache'));

interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly says: string;
}

async function run(home: string, argv: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const env = { HOME: home, PATH: '/usr/bin:/bin', ...more };
  const child = spawn(argv[0] ?? '', argv.slice(1), { env, stdio: ['ignore', 'pipe', 'pipe'], cwd: home });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, signal: child.signalCode, says: stdout + stderr };
}
const program = (...args: string[]): string[] => [process.execPath, bin, ...args];

/** A thing that a user does, in a home that is ready for it, and what undoes whatever became of it. */
interface Deed {
  ready(home: string): Promise<void>;
  readonly does: (home: string) => string[];
  readonly undo: string[];
  /** What the home is after it was undone. */
  readonly before: (home: string) => Tree;
}

const startOf = (prepare: (home: string) => void) => {
  const trees = new Map<string, Tree>();
  return (home: string): Tree => {
    const known = trees.get(home);
    if (known) return known;
    prepare(home);
    const made = tree(home);
    trees.set(home, made);
    return made;
  };
};

/** A deed from a start; `first` is done before it, and brings what the deed begins with. */
function deed(prepare: (home: string) => void, does: Deed['does'], undo: string[], first?: Deed['does']): Deed {
  const before = startOf(prepare);
  const begun = new Map<string, Tree>();
  return {
    before,
    does,
    undo,
    async ready(home) {
      const known = begun.get(home);
      writeTree(home, known ?? before(home));
      if (known) return;
      if (first) await run(home, first(home));
      begun.set(home, readTree(home));
    },
  };
}

const register = () => program('register', '--name', 'pve');
const setUp = (home: string) =>
  program(
    ...['setup', '--yes', '--host', '127.0.0.1', '--api-port', '1', '--ssh-port', '1', '--old-entries', 'remove'],
    ...['--token-file', join(home, 'token'), '--toolsets', 'pve'],
  );
const withSettings = (home: string, claude = CLAUDE) => {
  fresh(home, claude);
  settings(home);
};
const deeds = {
  register: deed(withSettings, register, program('unregister')),
  unregister: deed(withSettings, () => program('unregister'), program('unregister'), register),
  setup: deed(fresh, setUp, program('uninstall', '--yes')),
  uninstall: deed(fresh, () => program('uninstall', '--yes'), program('uninstall', '--yes'), setUp),
};

/** What must be so at any moment. */
function expectSound(home: string): void {
  const file = tree(home)['dotfiles/claude.json'] ?? '';
  expect(tree(home)['.claude.json']).toBe('link dotfiles/claude.json');
  expect(file.startsWith(`file 640 ${HEAD}`), file).toBe(true);
  expect(file.endsWith(TAIL), file).toBe(true);
  expect(file).toContain('"x":  {"command":"y"}');
  const { mcpServers, ...others } = JSON.parse(file.slice('file 640 '.length));
  expect(Object.keys(others).filter((name) => name !== 'history')).toEqual([
    'numStartups',
    'odd',
    'big',
    'oauthAccount',
  ]);
  expect(Object.keys(mcpServers)).toContain('x');
  const record = tree(home)['.config/proxmox-ssh-mcp/setup.json'];
  if (record !== undefined) expect(JSON.parse(record.slice('file 600 '.length))).toMatchObject({ version: 1 });
}

/** How far Node's own calls before ours may differ from run to run. */
const AIMS = [0, 0, 1, -1, 2, 0, 0];

/** Replaces the call that is meant; what other one is hit by the way has to do no harm either. */
async function cut(cutter: Cutter, it: Deed, home: string, call: Call, instead: Instead): Promise<void> {
  for (const by of AIMS) if (await cutAt(cutter, it, home, { ...call, nth: call.nth + by }, instead)) return;
  throw new Error(`Never hit: ${call.name} ${call.nth} on ${call.on}`);
}

/** Does the deed with one call replaced, and undoes it; what must be so is so after both. Whether it was the one meant. */
async function cutAt(cutter: Cutter, it: Deed, home: string, call: Call, instead: Instead): Promise<boolean> {
  await it.ready(home);
  const log = `${home}.log`;
  const { argv, env } = cutter.cutting(it.does(home), log, call, instead);
  const ran = await run(home, argv, env);
  const hit = cutter.calls(log, home).find(({ name, nth }) => name === call.name && nth === call.nth);
  const at = `${instead} in place of ${call.name} ${call.nth} on ${hit?.on}\n${ran.says}`;
  if (instead === 'SIGKILL') expect(ran.signal ?? ran.code, at).toSatisfy((how) => how === 'SIGKILL' || how === 137);
  else expect(ran.signal, at).toBeNull();
  expectSound(home);
  const undone = await run(home, it.undo);
  expect(undone.code, `${at}then: ${undone.says}`).toBe(0);
  expect(tree(home), `${at}then: ${undone.says}`).toEqual(it.before(home));
  return hit?.on === call.on;
}

/** The calls of a whole run. */
async function callsOf(cutter: Cutter, it: Deed): Promise<Call[]> {
  const home = lanes[0] ?? '';
  await it.ready(home);
  const { argv, env } = cutter.noting(it.does(home), `${home}.log`);
  await run(home, argv, env);
  expectSound(home);
  return cutter.calls(`${home}.log`, home);
}

/** Replaces each of the calls that are wanted, several at once; how many that were. */
async function walk(cutter: Cutter, it: Deed, instead: (call: Call) => readonly Instead[]): Promise<number> {
  const calls = await callsOf(cutter, it);
  const cases = calls.flatMap((call) => instead(call).map((one) => [call, one] as const));
  let next = 0;
  const lanesOver = await Promise.allSettled(
    lanes.map(async (home) => {
      for (let one = cases[next++]; one; one = cases[next++]) await cut(cutter, it, home, ...one);
    }),
  );
  for (const lane of lanesOver) if (lane.status === 'rejected') throw lane.reason;
  tally(27, `system calls at which it was killed or refused, by ${cutter.by}`, cases.length);
  return cases.length;
}

const killed = (): readonly Instead[] => ['SIGKILL'];
/** What such a call may fail with. */
const failing = ({ name }: Call): readonly Instead[] =>
  /unlink|rm/.test(name)
    ? ['EIO']
    : /fchmod/.test(name)
      ? ['EPERM']
      : /fsync/.test(name)
        ? ['EIO', 'ENOSPC']
        : ['ENOSPC'];
/** Those on the file of Claude Code and on its copies, and of each change of the record the two that matter. */
const ofEntries = ({ name, on }: Call): boolean =>
  on.includes('claude.json') || (on.includes('setup.json') && /write|rename|unlink|rm/.test(name));
const only =
  (wanted: (call: Call) => boolean, what: (call: Call) => readonly Instead[]) =>
  (call: Call): readonly Instead[] =>
    wanted(call) ? what(call) : [];

// Where nothing may trace, the same is done inside the program.
const best = mayTrace() ? byStrace : byPreload;

describe('guarantee 27: killed, or refused by the disk, at every call that changes it', { timeout: 300_000 }, () => {
  it('register', async () => {
    expect(await walk(best, deeds.register, killed)).toBeGreaterThanOrEqual(18);
    expect(await walk(best, deeds.register, failing)).toBeGreaterThanOrEqual(18);
  });

  it('unregister', async () => {
    expect(await walk(best, deeds.unregister, killed)).toBeGreaterThanOrEqual(7);
    expect(await walk(best, deeds.unregister, failing)).toBeGreaterThanOrEqual(7);
  });

  it('setup, where it concerns what other programs read', async () => {
    expect(await walk(best, deeds.setup, only(ofEntries, killed))).toBeGreaterThanOrEqual(24);
  });

  it('uninstall', async () => {
    expect(await walk(best, deeds.uninstall, only(ofEntries, killed))).toBeGreaterThanOrEqual(19);
    const claude = ({ name, on }: Call) => on.includes('claude.json') && !/fchmod/.test(name);
    expect(await walk(best, deeds.uninstall, only(claude, failing))).toBeGreaterThanOrEqual(10);
  });

  it('register, cut off inside the program, as it is done where no process may trace another', async () => {
    expect(await walk(byPreload, deeds.register, killed)).toBeGreaterThanOrEqual(18);
  });

  it('puts each text on the disk before its name, and its name before it goes on', async () => {
    const calls = (await callsOf(best, deeds.register)).filter(({ on }) => !on.includes('setup.json'));
    const names = calls.map(({ name }) => name.replace(/Sync$|64$/, '').replace(/^openat$/, 'open'));
    const draft = ['open', 'pwrite', 'fchmod', 'fsync', 'rename', 'fsync'];
    expect(
      names
        .join(' ')
        .replaceAll('mkdir ', '')
        .replace(/(?<!p)write/g, 'pwrite'),
    ).toContain(draft.join(' '));
  });
});

const makeDisk = () => anyDisk(mkdtempSync(join(folder, 'disk-')), 256);

describe('guarantee 27: a disk that is full', { timeout: 120_000 }, () => {
  it.each(['its own', 'limited'])(
    'has the file as it was or as it shall be, whatever still fits (%s)',
    async (kind) => {
      const disk = kind === 'limited' ? limitedDisk(lanes[0] ?? '') : makeDisk();
      const { folder: home } = disk;
      const outcomes = new Set<string>();
      try {
        withSettings(home, LONG);
        const before = tree(home);
        for (const pages of [0, 1, 2, 3, 4, 6, 8, 12]) {
          disk.fill(pages);
          const { code, says } = await run(home, disk.under(register()));
          expectSound(home);
          expect(says).toMatch(code === 0 ? /^Registered/ : /It is as it was\. Make room on its disk\./);
          outcomes.add(code === 0 ? 'registered' : 'refused');
          const full = await run(home, disk.under(program('unregister')));
          expectSound(home);
          disk.empty();
          const undone = await run(home, program('unregister'));
          expect(undone.code, `${full.says}${undone.says}`).toBe(0);
          expect(tree(home), `${pages} pages: ${says}${full.says}`).toEqual(before);
        }
      } finally {
        disk.stop();
      }
      expect([...outcomes].sort()).toEqual(['refused', 'registered']);
    },
  );

  it('stops the set-up with a word about room, and what was done is taken away', async () => {
    const disk = makeDisk();
    try {
      fresh(disk.folder);
      const before = tree(disk.folder);
      for (const pages of [0, 1, 2, 3]) {
        disk.fill(pages);
        const { code, says } = await run(disk.folder, disk.under(setUp(disk.folder)));
        disk.empty();
        expect(code, says).toBe(1);
        expect(says).toMatch(/could not be written: .*Make room on its disk/s);
        expectSound(disk.folder);
        const undone = await run(disk.folder, program('uninstall', '--yes'));
        expect(undone.code, undone.says).toBe(0);
        expect(tree(disk.folder), `${pages} pages: ${says}`).toEqual(before);
      }
    } finally {
      disk.stop();
    }
  });
});
