import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseInput } from '../../src/gate/parse.ts';
import { type Facts, RemoteText } from '../../src/present/answer.ts';
import { createRedaction } from '../../src/present/redact.ts';
import { keepOutputsIn } from '../../src/present/spool.ts';
import { Secret } from '../../src/secret.ts';
import type { Ssh } from '../../src/ssh/client.ts';
import { Jobs } from '../../src/ssh/jobs.ts';
import type { ToolContext } from '../../src/toolsets/tool.ts';
import { realAgent } from '../rig/agent.ts';
import { login, sshTo } from '../rig/login.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { runAsRoot } from '../rig/users.ts';
import { type Bench, shellOn, startBench, toolNamed } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.forget());
afterAll(() => bench.stop());

describe('ssh_job_read', () => {
  it('goes on where the call that was waiting for the command ended', async () => {
    const script = 'echo begun; sleep 1; echo done; echo oops >&2; exit 3';
    expect(await bench.call('ssh_exec', { target: 'pve1', script, wait_s: 0 })).toMatchInlineSnapshot(`
      {
        "facts": {
          "cursor": "0.0",
          "job": "jabcdef@pve1",
          "next": "ssh_job_read with this job and cursor waits for more, ssh_job_kill ends it; it ends with this server.",
          "ran_on": "pve1",
          "state": "running",
        },
        "headline": "still running on pve1 after … s, as job jabcdef@pve1",
      }
    `);
    const [{ id } = { id: undefined }] = bench.jobs.list();
    const read = { job: id?.text, wait_s: 20 };
    expect(await bench.call('ssh_job_read', read)).toMatchInlineSnapshot(`
      {
        "facts": {
          "cursor": "6.0",
          "job": "jabcdef@pve1",
          "ran_on": "pve1",
          "state": "running",
          "stdout": {
            "remote": "begun
      ",
          },
        },
        "headline": "jabcdef@pve1 on pve1: running for … s",
      }
    `);
    await bench.jobs.list()[0]?.over;
    expect(await bench.call('ssh_job_read', { ...read, cursor: '6.0' })).toMatchInlineSnapshot(`
      {
        "facts": {
          "cursor": "11.5",
          "exit_code": 3,
          "job": "jabcdef@pve1",
          "ran_on": "pve1",
          "state": "exited",
          "stderr": {
            "remote": "oops
      ",
          },
          "stdout": {
            "remote": "done
      ",
          },
        },
        "headline": "jabcdef@pve1 on pve1: exit 3 after … s",
      }
    `);
    expect(await bench.call('ssh_job_read', { ...read, tail: 1, stream: 'stdout' })).toMatchObject({
      facts: { stdout: { remote: 'done\n' } },
    });
  });

  it('reads a detached one from its host', async () => {
    const script = 'echo begun; echo oops >&2; exit 3';
    expect(await bench.call('ssh_exec', { target: 'ct/101', script, detach: true })).toMatchInlineSnapshot(`
      {
        "facts": {
          "job": "jabcdef@ct/101",
          "next": "ssh_job_read gives its output and its end; ssh_job_kill ends it, and later removes what it left.",
          "pid": 2400007,
          "ran_on": "CT 101 (pihole)",
          "state": "running",
        },
        "headline": "started on CT 101 (pihole) as job jabcdef@ct/101, which outlives this server",
      }
    `);
    const { facts } = (await bench.call('ssh_job_list', { target: 'ct/101' })) as {
      facts: { jobs: { job: string }[] };
    };
    expect(facts.jobs).toHaveLength(1);
  });

  it.each([
    [{ job: 'nosuchjob' }],
    [{ job: 'jnosuch@pve1' }],
    [{ job: 'jnosuch@pve9' }],
    [{ job: 'jnosuch@ct/400' }],
    [{ job: 'jnosuch@pve1', cursor: 'x' }],
  ])('says what is wrong with %o', async (input) => {
    expect(await bench.fails('ssh_job_read', input)).toMatchSnapshot();
  });
});

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

describe('a command that runs on', () => {
  let server: Sshd;
  let ssh: Ssh;
  beforeAll(async () => {
    server = await startSshd({ containers: { 101: 'running' } });
    ssh = sshTo(server);
  });
  afterAll(async () => {
    await ssh.close();
    await server.stop();
  });

  const SECRET = 'geheim-€-wörd';
  const contextOf = (user: string, over: Partial<ToolContext> = {}) => {
    const jobs = new Jobs({ keep: keepOutputsIn(server.folder, createRedaction([new Secret(SECRET)])) });
    const spec = login(server, user, { name: 'pve1' });
    return bench.context({ ssh: shellOn(ssh, [{ spec, source: 'node' }], jobs), ...over });
  };
  const call = async (context: ToolContext, name: string, input: Record<string, unknown>): Promise<Facts> => {
    const tool = toolNamed(name);
    return (await tool.run(parseInput(tool, input), context)).facts;
  };
  const text = (fact: unknown): string => (fact instanceof RemoteText ? fact.text : '');

  /** Reads a job to its end, from a cursor on. */
  async function readAll(context: ToolContext, job: unknown, cursor: unknown) {
    const all = { stdout: '', stderr: '', reads: 0 };
    for (let next = cursor; ; all.reads++) {
      const facts = await call(context, 'ssh_job_read', { job, cursor: next, wait_s: 20 });
      all.stdout += text(facts.stdout);
      all.stderr += text(facts.stderr);
      next = facts.cursor;
      if (facts.state !== 'running' && !facts.more) return { ...facts, ...all };
    }
  }

  let count = 0;
  /** Shell text, for a place with that root folder, that goes on for as long as a file is there. */
  function held(root = '') {
    const file = join('/tmp', `psm-hold-${process.pid}-${count++}`);
    runAsRoot(['touch', join(root, file)]);
    return {
      file,
      wait: `while [ -e ${file} ]; do sleep 0.05; done`,
      letGo: () => runAsRoot(['rm', join(root, file)]),
    };
  }

  it.each([
    ['a host', 'psm-dash', 'ssh_exec', { target: 'pve1' }],
    ['a container', 'root', 'pct_exec', { vmid: 101 }],
  ])('in %s: what was told and what is read are all of its output', async (_, user, tool, where) => {
    const context = contextOf(user);
    const { wait, letGo } = held(tool === 'pct_exec' ? server.rootOf(101) : '');
    const script = `echo begun; ${wait}; echo done; echo oops >&2; exit 3`;
    const { job, ...first } = await call(context, tool, { ...where, script, wait_s: 0 });
    expect(first).toMatchObject({ state: 'running', cursor: '0.0' });
    const begun = await call(context, 'ssh_job_read', { job, cursor: first.cursor, wait_s: 20 });
    expect(begun).toMatchObject({ state: 'running', cursor: '6.0', stdout: { text: 'begun\n' } });
    const none = await call(context, 'ssh_job_read', { job, cursor: begun.cursor });
    expect(none).toMatchObject({ state: 'running', cursor: '6.0', stdout: undefined });
    letGo();
    const end = await readAll(context, job, begun.cursor);
    expect(end).toMatchObject({ state: 'exited', exit_code: 3, stdout: 'done\n', stderr: 'oops\n' });
  });

  it('is handed over in the middle of a character, which is told whole', async () => {
    const context = contextOf('psm-bash');
    const { wait, letGo } = held();
    const script = `printf 'gr\\303'; ${wait}; printf '\\266sse'`;
    const first = await call(context, 'ssh_exec', { target: 'pve1', script, wait_s: 2 });
    expect(first).toMatchObject({ state: 'running', cursor: '2.0', stdout: { text: 'gr' } });
    letGo();
    expect(await readAll(context, first.job, first.cursor)).toMatchObject({ stdout: 'össe' });
  });

  it('in a VM: its output comes with its end', async () => {
    const context = contextOf('root', { pve: bench.as('root@pam!mcp', realAgent()) });
    const first = await call(context, 'vm_exec', { guest: 200, script: 'echo begun; sleep 0.3; exit 3', wait_s: 0 });
    expect(first).toMatchObject({ state: 'running', cursor: '0.0' });
    expect(await readAll(context, first.job, first.cursor)).toMatchObject({ exit_code: 3, stdout: 'begun\n' });
  });

  it('is not ended by the client that called it, and is while the client waits for it', async () => {
    const cancel = new AbortController();
    const context = contextOf('psm-bash', { signal: cancel.signal });
    const { file, wait, letGo } = held();
    const waiting = call(context, 'ssh_exec', { target: 'pve1', script: `echo up; ${wait}` });
    const { job } = await call(context, 'ssh_exec', { target: 'pve1', script: `${wait}; echo still here`, wait_s: 0 });
    await expect.poll(() => running(`echo up; while [ -e ${file}`).length).toBeGreaterThan(0);
    cancel.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled', facts: { remote_process: 'terminated' } });
    letGo();
    const other = { ...context, signal: new AbortController().signal };
    expect(await readAll(other, job, '0.0')).toMatchObject({ state: 'exited', stdout: 'still here\n' });
  });

  it('is ended at its timeout, whether anybody waits or not, and tells what was seen', async () => {
    const context = contextOf('psm-bash');
    const { job } = await call(context, 'ssh_exec', {
      target: 'pve1',
      script: 'echo up; sleep 60',
      timeout_s: 1,
      wait_s: 0,
    });
    expect(await readAll(context, job, '0.0')).toMatchObject({
      state: 'failed',
      why: expect.stringContaining('ran longer than 1 s'),
      remote_process: 'terminated',
      stdout: 'up\n',
    });
  });

  it('whose connection is lost is told as lost', async () => {
    const own = await startSshd();
    const client = sshTo(own);
    const jobs = new Jobs();
    const spec = login(own, 'psm-bash', { name: 'pve1' });
    const context = bench.context({ ssh: shellOn(client, [{ spec, source: 'node' }], jobs) });
    const { job } = await call(context, 'ssh_exec', { target: 'pve1', script: 'echo up; sleep 5', wait_s: 1 });
    own.killSessions();
    expect(await readAll(context, job, '0.0')).toMatchObject({ state: 'lost', stdout: 'up\n' });
    await client.close();
    await own.stop();
  });

  it('gives by its cursors all of a big output, cut at no character and no secret', { timeout: 60_000 }, async () => {
    const context = contextOf('psm-dash');
    const line = `größer 😀 ${SECRET} {"a": "\\t"}`;
    const script = `yes '${line}' | head -n 4000; yes '${line}' | head -n 250000 | head -c 12000000 | tail -c 8000 >&2`;
    const first = await call(context, 'ssh_exec', { target: 'pve1', script, wait_s: 0 });
    const end = await readAll(context, first.job, first.cursor);
    const clean = `${line.replace(SECRET, '[secret removed]')}\n`;
    const before = text(first.stdout);
    expect(before + end.stdout).toBe(clean.repeat(4000));
    expect(end.stderr).not.toContain('geheim-€');
    expect(end.reads).toBeGreaterThan(5);
  });

  it('is read from its file where memory has not all of it', { timeout: 60_000 }, async () => {
    const context = contextOf('root');
    const script = 'seq 1 700000; seq 1 3 >&2';
    const { job } = await call(context, 'ssh_exec', { target: 'pve1', script, wait_s: 0 });
    const [own] = context.ssh.jobs.list();
    await own?.over;
    const whole = Array.from({ length: 700_000 }, (_, i) => `${i + 1}\n`).join('');
    const at = 2_000_000;
    const middle = await call(context, 'ssh_job_read', { job, cursor: `${at}.0`, stream: 'stdout' });
    expect(text(middle.stdout).length).toBeGreaterThan(5_000);
    expect(whole.slice(at).startsWith(text(middle.stdout))).toBe(true);
    expect(middle).toMatchObject({ state: 'exited', more: true, stderr: undefined });
    const tail = await call(context, 'ssh_job_read', { job, tail: 2 });
    expect(tail).toMatchObject({ stdout: { text: '699999\n700000\n' }, stderr: { text: '2\n3\n' } });
  });
});
