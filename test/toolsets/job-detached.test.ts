import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Failure } from '../../src/failure.ts';
import { parseInput } from '../../src/gate/parse.ts';
import { type Facts, RemoteText } from '../../src/present/answer.ts';
import { createRedaction } from '../../src/present/redact.ts';
import { keepOutputsIn } from '../../src/present/spool.ts';
import { Secret } from '../../src/secret.ts';
import type { HostSpec, Ssh } from '../../src/ssh/client.ts';
import { JobBook } from '../../src/ssh/job-book.ts';
import { Jobs } from '../../src/ssh/jobs.ts';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import { counted, runs } from '../counts.ts';
import { tally } from '../figures.ts';
import { realAgent } from '../rig/agent.ts';
import { apartness } from '../rig/container.ts';
import { mountDisk } from '../rig/disk.ts';
import { login, sshTo } from '../rig/login.ts';
import { startProxy } from '../rig/proxy.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { DASH_PASSWORD, runAsRoot } from '../rig/users.ts';
import { type Bench, shellOn, startBench, toolNamed } from './harness.ts';

let bench: Bench;
let server: Sshd;
beforeAll(async () => {
  bench = await startBench();
  server = await startSshd({ containers: { 101: 'running' } });
});
afterAll(async () => {
  for (const folder of folders) runAsRoot(['rm', '-rf', folder]);
  await bench.stop();
  await server.stop();
});

const folders = new Set<string>();
const HOMES: Readonly<Record<string, string>> = { root: '/root' };
const folderOf = (id: string, home: string): string => {
  const folder = join(home, '.local/state/proxmox-ssh-mcp/jobs', /^\w+/.exec(id)?.[0] ?? '');
  folders.add(folder);
  return folder;
};

/** One process of ours: its connections, its jobs. A second one knows of the first what the book holds. */
class Process {
  readonly ssh: Ssh = sshTo(server);

  constructor(
    readonly spec: HostSpec,
    readonly jobs = new Jobs({ book: new JobBook(join(server.folder, 'jobs.json')) }),
  ) {}

  async call(name: string, input: Record<string, unknown>, over: Partial<ToolContext> = {}): Promise<Facts> {
    const tool = toolNamed(name);
    const ssh = shellOn(this.ssh, [{ spec: this.spec, source: 'inventory' }], this.jobs);
    return (await tool.run(parseInput(tool, input), bench.context({ ssh, ...over }))).facts;
  }

  async start(script: string, more: Record<string, unknown> = {}): Promise<string> {
    const { job } = await this.call('ssh_exec', { target: this.spec.name, script, detach: true, ...more });
    folderOf(String(job), HOMES[this.spec.user] ?? `/home/${this.spec.user}`);
    return String(job);
  }

  /** Reads to the end; the texts of all answers together. */
  async readAll(job: string): Promise<Facts & { stdout: string; stderr: string; reads: number }> {
    const all = { stdout: '', stderr: '' };
    let cursor: unknown;
    for (let reads = 1; ; reads++) {
      const facts = await this.call('ssh_job_read', { job, wait_s: 20, ...(cursor ? { cursor } : {}) });
      for (const name of ['stdout', 'stderr'] as const) {
        const text = facts[name];
        if (text instanceof RemoteText) all[name] += text.text;
      }
      cursor = facts.cursor;
      if (facts.state !== 'running' && !facts.more) return { ...facts, ...all, reads };
    }
  }

  close(): Promise<void> {
    return this.ssh.close();
  }
}

const spec = (user: string): HostSpec =>
  login(server, user, { name: 'pve1', ...(user === 'psm-dash' ? { sudoPassword: new Secret(DASH_PASSWORD) } : {}) });

/** Processes of this machine whose command line holds the text. */
const running = (text: string): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text);
      } catch {
        return false;
      }
    });

/** Shell text that goes on for as long as the file is there. */
let count = 0;
function held(): { readonly wait: string; letGo(): void } {
  const file = join(server.folder, `hold-${count++}`);
  writeFileSync(file, '');
  return { wait: `while [ -e ${file} ]; do sleep 0.05; done`, letGo: () => rmSync(file) };
}

describe.each(['root', 'psm-bash', 'psm-dash', 'psm-zsh', 'psm-ash'])('a detached job of %s', (user) => {
  it('outlives our process and its connection, and is read by another', async () => {
    const one = new Process(spec(user));
    const { wait, letGo } = held();
    const script = `echo "begun as $(id -un)"; cat; echo "$NAME" >&2; ${wait}; pwd; echo done; exit 7`;
    const job = await one.start(script, { stdin: 'my input\n', env: { NAME: 'tell-nobody' }, cwd: '/tmp' });
    expect(job).toMatch(/^j[a-z2-9]{6}@pve1$/);
    expect(await one.call('ssh_job_read', { job, wait_s: 20 })).toMatchObject({ state: 'running', detached: true });
    await one.close();
    server.killSessions();
    letGo();
    const two = new Process(spec(user));
    const end = await two.readAll(job);
    expect(end).toMatchObject({ state: 'exited', exit_code: 7, stderr: 'tell-nobody\n' });
    expect(end.stdout).toBe(`begun as ${user}\nmy input\n/tmp\ndone\n`);
    await two.close();
  });
});

describe('what a detached job leaves on its host', () => {
  it('is for its user alone, and is in no process list', async () => {
    const one = new Process(spec('psm-bash'));
    const mark = `9${process.pid}.25`;
    const seen = join(server.folder, 'all-argv');
    const script = `umask; cat /proc/*/cmdline 2>/dev/null >${seen}; sleep ${mark}; : secret-word`;
    runAsRoot(['install', '-o', 'psm-bash', '/dev/null', seen]);
    const job = await one.start(`: secret-first\n${script}`, { stdin: 'secret-input', env: { TOKEN: 'secret-value' } });
    const folder = folderOf(job, '/home/psm-bash');
    await expect.poll(() => running(mark).length).toBe(1);
    const stat = (path: string) => runAsRoot(['stat', '-c', '%a %U', path]).trim();
    expect(stat(folder)).toBe('700 psm-bash');
    const files = runAsRoot(['ls', folder]).trim().split('\n');
    expect(files).toEqual(expect.arrayContaining(['cookie', 'err', 'in', 'out', 'pid', 'script', 'started']));
    for (const file of files) expect(stat(join(folder, file)), file).toBe('600 psm-bash');
    const spelled = [
      'secret-',
      Buffer.from(': secret-').toString('base64').slice(0, 10),
      Buffer.from('secret-').toString('hex'),
    ];
    const argv = readFileSync(seen, 'latin1');
    expect(argv).toContain('psm-job');
    for (const text of spelled) expect(argv).not.toContain(text);
    expect((await one.call('ssh_job_read', { job })).stdout).toMatchObject({ text: '0022\n' });
    await one.call('ssh_job_kill', { job });
    expect(running(mark)).toEqual([]);
    const booked = async () => (await one.jobs.book?.list())?.map(({ id }) => id) ?? [];
    expect(await booked()).toContain(job);
    expect(statSync(join(server.folder, 'jobs.json')).mode & 0o777).toBe(0o600);
    await one.call('ssh_job_kill', { job });
    expect(existsSync(folder)).toBe(false);
    expect(await booked()).not.toContain(job);
    await one.close();
  });

  it('goes a week after the start, when another is started, unless it runs', async () => {
    const one = new Process(spec('psm-dash'));
    const { wait, letGo } = held();
    const [over, runs] = [await one.start('true'), await one.start(wait)];
    await one.readAll(over);
    const old = (job: string) => folderOf(job, '/home/psm-dash');
    for (const job of [over, runs]) runAsRoot(['touch', '-d', '8 days ago', join(old(job), 'started')]);
    await one.call('ssh_job_read', { job: over });
    await one.call('ssh_job_list', { target: 'pve1' });
    expect(runAsRoot(['ls', old(over)])).toContain('status');
    await one.readAll(await one.start('true'));
    expect(existsSync(old(over))).toBe(false);
    expect((await one.call('ssh_job_read', { job: runs })).state).toBe('running');
    letGo();
    await one.readAll(runs);
    await one.close();
  });
});

describe('a detached job by sudo', () => {
  it('is read and ended as root, by the password where one is asked', async () => {
    const one = new Process(spec('psm-dash'));
    const mark = `8${process.pid}.25`;
    const { job } = await one.call('ssh_sudo_exec', { target: 'pve1', script: `id -un; sleep ${mark}`, detach: true });
    expect(job).toMatch(/^j[a-z2-9]{6}\+root@pve1$/);
    folderOf(String(job), '/root');
    const two = new Process(spec('psm-dash'));
    expect(await two.call('ssh_job_read', { job, wait_s: 20 })).toMatchObject({ stdout: { text: 'root\n' } });
    expect(JSON.stringify(await two.call('ssh_job_list', { target: 'pve1' }))).toContain(String(job));
    expect(await two.call('ssh_job_kill', { job })).toMatchObject({ state: 'killed', remote_process: 'terminated' });
    expect(running(mark)).toEqual([]);
    expect(await two.call('ssh_job_read', { job })).toMatchObject({ state: 'killed' });
    await two.call('ssh_job_kill', { job });
    await Promise.all([one.close(), two.close()]);
  });
});

describe('a detached job inside of a container', () => {
  it('is there, not on the node, and is ended there', async () => {
    const one = new Process(spec('root'));
    const mark = `6${process.pid}.25`;
    const { job } = await one.call('pct_exec', { vmid: 101, script: `cat; sleep ${mark}`, stdin: 'in', detach: true });
    expect(job).toMatch(/^j[a-z2-9]{6}@ct\/101$/);
    const folder = `.local/state/proxmox-ssh-mcp/jobs/${String(job).slice(0, 7)}`;
    expect(existsSync(join(server.rootOf(101), 'root', folder, 'out'))).toBe(true);
    const two = new Process(spec('root'));
    expect(await two.call('ssh_job_read', { job, wait_s: 20 })).toMatchObject({
      state: 'running',
      stdout: { text: 'in' },
    });
    expect(JSON.stringify(await two.call('ssh_job_list', { target: 'ct/101' }))).toContain(String(job));
    if (apartness() === 'chroot') {
      // It has no /proc, and a ps that needs one: what cannot be seen is not called gone.
      await expect(two.call('ssh_job_kill', { job })).rejects.toThrow(/whether they all ended is unknown/);
      for (const pid of running(mark)) process.kill(Number(pid), 'SIGKILL');
      await vi.waitFor(() => expect(running(mark)).toEqual([]));
    } else {
      expect(await two.call('ssh_job_kill', { job })).toMatchObject({ remote_process: 'terminated' });
    }
    expect(running(mark)).toEqual([]);
    await Promise.all([one.close(), two.close()]);
  });
});

describe('a detached job inside of a VM', () => {
  it('is started, read and ended by the guest agent', async () => {
    const one = new Process(spec('root'));
    const agent = { pve: bench.as('root@pam!mcp', realAgent()) };
    const mark = `5${process.pid}.25`;
    const input = { guest: 200, script: `cat; sleep ${mark}`, stdin: 'in', detach: true };
    const { job } = await one.call('vm_exec', input, agent);
    expect(job).toMatch(/^j[a-z2-9]{6}@vm\/200$/);
    folderOf(String(job), '/root');
    expect(await one.call('ssh_job_read', { job, wait_s: 20 }, agent)).toMatchObject({ stdout: { text: 'in' } });
    expect(await one.call('ssh_job_kill', { job }, agent)).toMatchObject({ remote_process: 'terminated' });
    expect(running(mark)).toEqual([]);
    await one.call('ssh_job_kill', { job }, agent);
    await one.close();
  });
});

/** Of each of three users; 100 in all. */
const jobsOfEach = counted(34, 3);

describe('ssh_job_kill of a detached job', () => {
  it.each(['root', 'psm-bash', 'psm-ash'])(
    `guarantee 4: ends all of it, whatever it did to stay (%s, ${jobsOfEach} of 34)`,
    { timeout: counted(180_000, 30_000) },
    async (user) => {
      const one = new Process(spec(user));
      const time = (i: number) => `7${process.pid}.${i}5`;
      const script = (t: string) =>
        `trap '' TERM INT HUP; setsid sleep ${t} & (env -i sleep ${t} &); nohup sh -c 'trap "" TERM; sleep ${t}; sleep ${t}' & sleep ${t}; sleep ${t}`;
      const jobs = await runs(jobsOfEach, 5, (i) => one.start(script(time(i))));
      for (const i of jobs.keys())
        await expect.poll(() => running(time(i)).length, { timeout: 20_000 }).toBeGreaterThan(3);
      await one.close();
      const two = new Process(spec(user));
      const ends = await runs(jobsOfEach, 5, (i) => two.call('ssh_job_kill', { job: jobs[i] ?? '' }));
      for (const end of ends) expect(end).toMatchObject({ state: 'killed', remote_process: 'terminated' });
      expect([...jobs.keys()].flatMap((i) => running(time(i)))).toEqual([]);
      tally(4, 'detached jobs ended', jobsOfEach);
      await two.close();
    },
  );

  it('never ends what has its pid by now', async () => {
    const one = new Process(spec('psm-bash'));
    const { wait, letGo } = held();
    const [job, other] = [await one.start('true'), await one.start(wait)];
    await one.readAll(job);
    const folder = folderOf(job, '/home/psm-bash');
    const [pid, begun, boot] = runAsRoot(['cat', join(folderOf(other, '/home/psm-bash'), 'pid')]).split(/\s/);
    runAsRoot(['rm', join(folder, 'status')]);
    runAsRoot(['sh', '-c', `echo "${pid} ${Number(begun) - 1} ${boot}" >${folder}/pid`]);
    expect(await one.call('ssh_job_read', { job })).toMatchObject({ state: 'ended without a status' });
    await one.call('ssh_job_kill', { job });
    expect((await one.call('ssh_job_read', { job: other })).state).toBe('running');
    letGo();
    await one.readAll(other);
    await one.close();
  });

  it('finds what is left of one whose first process was killed', async () => {
    const one = new Process(spec('psm-ash'));
    const mark = `4${process.pid}.25`;
    const job = await one.start(`echo up; sleep ${mark}; sleep 1`);
    const pid = join(folderOf(job, '/home/psm-ash'), 'pid');
    await expect.poll(() => running(mark).length).toBe(1);
    runAsRoot(['kill', '-KILL', runAsRoot(['cat', pid]).split(' ')[0] ?? '']);
    expect((await one.call('ssh_job_read', { job })).state).toBe('running');
    expect(await one.call('ssh_job_kill', { job })).toMatchObject({ remote_process: 'terminated' });
    expect(running(mark)).toEqual([]);
    expect(await one.call('ssh_job_read', { job })).toMatchObject({ state: 'killed', stdout: { text: 'up\n' } });
    await one.close();
  });

  it('is not needed for what a restart of the host ended, of which no more is claimed than is known', async () => {
    const one = new Process(spec('psm-bash'));
    const job = await one.start('echo before; exec sleep 60');
    const pid = join(folderOf(job, '/home/psm-bash'), 'pid');
    await one.call('ssh_job_read', { job, wait_s: 20 });
    const [own, begun] = runAsRoot(['cat', pid]).split(' ');
    runAsRoot(['kill', '-KILL', '--', `-${own}`]);
    runAsRoot(['sh', '-c', `echo "${own} ${begun} 00000000-0000-0000-0000-000000000000" >${pid}`]);
    expect(await one.call('ssh_job_read', { job })).toMatchObject({
      state: 'ended without a status (the host was restarted?)',
      stdout: { text: 'before\n' },
    });
    await one.close();
  });
});

describe('the start of a detached job', () => {
  const closed = (folder: string) => {
    runAsRoot(['chmod', '555', folder]);
    return { stop: () => void runAsRoot(['chmod', '755', folder]) };
  };

  it.each([
    ['a home that cannot be written to', closed, 'Permission denied'],
    ['a full disk', (state: string) => mountDisk(state, 64), 'No space left on device'],
  ])('on %s is a clear failure, and nothing was started', async (_, spoil, said) => {
    const one = new Process(spec('psm-tty'));
    const state = '/home/psm-tty/.local/state';
    const mark = join(server.folder, 'started-it');
    runAsRoot(['sh', '-c', `mkdir -p ${state} && chown -R psm-tty /home/psm-tty/.local`]);
    const spoiled = spoil(state);
    const script = `touch ${mark}; : ${'x'.repeat(100_000)}`;
    const failure = await one
      .call('ssh_exec', { target: 'pve1', script, detach: true })
      .then(
        () => expect.fail('it was started'),
        (error: Failure) => error,
      )
      .finally(() => spoiled.stop());
    expect(failure).toMatchObject({
      kind: 'remote-error',
      message: 'pve1 cannot keep a job, so nothing was started.',
      facts: { stderr: { text: expect.stringContaining(said) } },
    });
    expect(existsSync(mark)).toBe(false);
    expect((await one.jobs.book?.list())?.some(({ id }) => id.includes('+'))).toBe(false);
    await one.close();
  });

  it('100 at once are 100 jobs, each run once', { timeout: 120_000 }, async () => {
    const one = new Process(spec('root'));
    const file = join(server.folder, 'ran');
    const jobs = await Promise.all(Array.from({ length: 100 }, (_, i) => one.start(`echo ${i} >>${file}; echo ${i}`)));
    expect(new Set(jobs).size).toBe(100);
    const ran = () => readFileSync(file, 'utf8').trim().split('\n').map(Number);
    await expect.poll(() => ran().length, { timeout: 60_000 }).toBe(100);
    expect(ran().sort((a, b) => a - b)).toEqual(jobs.map((_, i) => i));
    const list = JSON.stringify(await one.call('ssh_job_list', { target: 'pve1' }));
    expect(jobs.filter((job) => !list.includes(job))).toEqual([]);
    expect((await one.readAll(jobs[99] ?? '')).stdout).toBe('99\n');
    await one.close();
  });

  it('whose connection dies in the middle of it is of unknown outcome, and the job is found by its id', {
    timeout: 60_000,
  }, async () => {
    const proxy = await startProxy(server);
    const one = new Process({ ...spec('root'), port: proxy.port });
    const [, ...key] = server.hostKeyLine.split(' ');
    writeFileSync(join(server.folder, 'known_hosts'), `[127.0.0.1]:* ${key.join(' ')}\n`);
    await one.call('ssh_exec', { target: 'pve1', script: 'true' });
    const file = join(server.folder, 'cut');
    for (const [i, bytes] of [500, 3_000, 60_000, 100_000, 103_900].entries()) {
      const mark = `${file}-${i}`;
      const from = proxy.received;
      const starting = one
        .start(`touch ${mark}; : ${'x'.repeat(100_000)}`, { env: { A: 'b' } })
        .catch((error) => error);
      await expect.poll(() => proxy.received - from, { interval: 1, timeout: 20_000 }).toBeGreaterThan(bytes);
      proxy.cut();
      const failure = await starting;
      expect(failure.kind, String(failure)).toBe('outcome-unknown');
      const [, job = ''] = /as job (\S+)\./.exec(failure.message) ?? [];
      folderOf(job, '/root');
      // What came in part is never run; what came whole is known by its id.
      const end = await one.readAll(job).catch((error) => error);
      if (existsSync(mark)) expect(end).toMatchObject({ state: 'exited', exit_code: 0 });
      else expect(['not-found', 'never began']).toContain(end.kind ?? end.state);
    }
    await one.close();
    await proxy.stop();
  });
});

describe('ssh_job_read of a detached job', () => {
  const SECRET = 'geheim-€-wörd';

  it('gives by its cursors all of a big output, cut at no character and no secret', async () => {
    const one = new Process(spec('psm-bash'));
    const jobs = new Jobs({ keep: keepOutputsIn(server.folder, createRedaction([new Secret(SECRET)])) });
    const reader = new Process(spec('psm-bash'), jobs);
    const line = `größer 😀 ${SECRET} {"a": "\\t"}`;
    const script = `i=0; while [ $i -lt 40 ]; do printf '%s\n' '${line}'; i=$((i+1)); done >lines; i=0
      while [ $i -lt 40 ]; do cat lines; i=$((i+1)); done; cat lines >&2; rm lines`;
    const job = await one.start(script, { cwd: '/tmp' });
    const end = await reader.readAll(job);
    const clean = `${line.replace(SECRET, '[secret removed]')}\n`;
    expect(end.stdout).toBe(clean.repeat(1600));
    expect(end.stderr).toBe(clean.repeat(40));
    expect(end.reads).toBeGreaterThan(3);
    const tail = await reader.call('ssh_job_read', { job, tail: 2, stream: 'stdout' });
    expect(tail).toMatchObject({ stdout: { text: clean.repeat(2) } });
    expect(tail.stderr).toBeUndefined();
    await Promise.all([one.close(), reader.close()]);
  });

  it('says what there is not', async () => {
    const one = new Process(spec('psm-bash'));
    const failure = await one.call('ssh_job_read', { job: 'jnosuch@pve1' }).catch((error) => error);
    expect(failure).toMatchObject({ kind: 'not-found', message: expect.stringContaining('no job jnosuch@pve1') });
    await one.close();
  });
});
