import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tools } from '../../src/toolsets/index.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { type Connected, connect, type Person } from './clients.ts';
import { type Datacentre, startDatacentre, writePrivate } from './datacentre.ts';
import { until } from './real-host.ts';

let dc: Datacentre;
let sshd: Sshd;
const hostsFile = (): string => `${dc.dir}/rules.json`;

beforeAll(async () => {
  [dc, sshd] = await Promise.all([startDatacentre(), startSshd()]);
  await writePrivate(`${dc.dir}/rig_known_hosts`, `${sshd.hostKeyLine}\n`);
});
afterAll(async () => {
  await Promise.all([dc.stop(), sshd.stop()]);
});

async function session(rules: unknown, mode: string, person?: Person, others: object = {}): Promise<Connected> {
  const host = { address: '127.0.0.1', port: sshd.port, user: 'root', keyPath: sshd.clientKeyPath };
  await writePrivate(hostsFile(), JSON.stringify({ commands: rules, hosts: { real: host, ...others } }));
  const settings = {
    MCP_MODE: mode,
    MCP_TOOLSETS: 'full',
    MCP_INVENTORY_FILE: hostsFile(),
    SSH_KNOWN_HOSTS: `${dc.dir}/rig_known_hosts`,
  };
  return connect('v2-2026', await dc.launch(settings), person);
}

const channels = (): number => sshd.log().match(/Starting session:/g)?.length ?? 0;
const guest = (vmid: number) => ({ vmid, status: 'running' as const });

/** What the input of each tool that runs commands is, apart from the command. */
const inputs: Readonly<Record<string, (script: string) => Record<string, unknown>>> = {
  pct_exec: (script) => ({ vmid: 101, script }),
  ssh_exec: (script) => ({ target: 'real', script }),
  ssh_exec_many: (script) => ({ targets: ['real', 'nowhere', 'vm/200'], script }),
  ssh_session_run: (script) => ({ session: 'work', script }),
  ssh_session_send: (script) => ({ session: 'work', text: script }),
  ssh_sudo_exec: (script) => ({ target: 'real', script }),
  vm_exec: (script) => ({ guest: 200, script }),
};

describe('a command that a rule denies', () => {
  it('runs by no tool that runs commands, in trusted mode neither: 0 channels, 0 writes', async () => {
    for (const { vmid, status } of [guest(101), guest(200)]) {
      const found = dc.world.guest(vmid);
      if (found) found.status = status;
    }
    const client = await session({ deny: ['touch *'] }, 'trusted');
    await client.call('ssh_session_open', { target: 'real', name: 'work' });
    const before = { channels: channels(), writes: dc.writes().length };
    const executing = tools.filter(({ effect }) => effect === 'execute');
    for (const { name } of executing) {
      for (const script of ['touch /tmp/x', 'sudo -n touch /tmp/x', 'true && sh -c "touch /tmp/x"']) {
        const result = await client.call(name, inputs[name]?.(script));
        expect(result, name).toMatchObject({ isError: true, facts: { error: 'refused' } });
        expect(result.text, name).toMatch(/The rule "touch \*" for .+ denies: touch \/tmp\/x\. \w+ was not run\./);
        expect(result.text, name).toContain(hostsFile());
      }
    }
    const detached = await client.call('ssh_exec', { target: 'real', script: 'touch /tmp/x', detach: true });
    expect(detached.facts.error).toBe('refused');
    const raw = { method: 'POST', path: '/nodes/pve1/qemu/200/agent/exec', params: { command: ['touch', '/tmp/x'] } };
    expect((await client.call('pve_api_call', raw)).text).toContain('The rule "touch *" for vm/200 denies');
    const read = { ...raw, params: { command: ['sh'], 'input-data': 'touch /tmp/x' } };
    expect((await client.call('pve_api_call', read)).text).toContain('The rule "touch *" for vm/200 denies');
    expect({ channels: channels(), writes: dc.writes().length }).toEqual(before);
    expect((await client.call('ssh_exec', { target: 'real', script: 'echo alive' })).text).toContain('alive');
    await client.close();
  });

  it('runs at no place that comes up only after the rules were looked at', async () => {
    const guest = dc.world.guest(101);
    // Another machine than all that are on 127.0.0.1 here.
    Object.assign(guest ?? {}, { status: 'stopped', node: 'pve2' });
    const client = await session({}, 'trusted', undefined, { pve2: { commands: { deny: ['touch *'] } } });
    const [begun, go] = [`${dc.dir}/begun`, `${dc.dir}/go`];
    const script = `echo >'${begun}'; while [ ! -e '${go}' ]; do sleep 0.1; done; touch /dev/null`;
    const input = { targets: ['real', 'ct/101'], script, parallel: 1 };
    const calling = client.call('ssh_exec_many', input);
    await Promise.race([calling, until(async () => existsSync(begun))]);
    Object.assign(guest ?? {}, { status: 'running' });
    await writeFile(go, '');
    expect((await calling).text).toContain(
      'was not there when the rules for commands were looked at, so nothing was run',
    );
    expect((await client.call('ssh_exec_many', input)).text).toContain('The rule "touch *" for CT 101');
    Object.assign(guest ?? {}, { node: 'pve1' });
    await client.close();
  });

  it('is every tool that runs commands: each says what it would run', () => {
    const executing = tools.filter(({ effect }) => effect === 'execute');
    expect(executing.map(({ name }) => name)).toEqual(Object.keys(inputs).sort());
    for (const tool of executing) expect(tool.commands, tool.name).toBeTypeOf('function');
  });
});

describe('a command that a rule asks about', () => {
  it('runs after a yes alone, in trusted mode too, and not where nobody can be asked', async () => {
    const asked: string[] = [];
    const answers = [true, false];
    const client = await session({ ask: ['touch *'] }, 'trusted', (message) => {
      asked.push(message);
      return { action: 'accept', content: { confirm: answers.shift() === true } };
    });
    const call = () => client.call('ssh_exec', { target: 'real', script: 'touch /dev/null && echo touched' });
    expect((await call()).text).toContain('touched');
    const before = channels();
    expect((await call()).facts.error).toBe('refused');
    expect(channels()).toBe(before);
    expect(asked[0]).toMatch(/^The rule "touch \*" for real asks about: touch \/dev\/null\.\nRun on real/);
    await client.close();
    const dumb = await session({ ask: ['touch *'] }, 'trusted');
    const refused = await dumb.call('ssh_exec', { target: 'real', script: 'touch /dev/null' });
    expect(refused.text).toContain('as the rules for commands say, and this client cannot ask one.');
    expect(channels()).toBe(before);
    await dumb.close();
  });
});

describe('a command that a rule allows', () => {
  it('is not asked about in ask mode, any other is; the audit tells them apart', async () => {
    let asked = 0;
    const client = await session({ allow: ['echo *'] }, 'ask', () => {
      asked += 1;
      return { action: 'accept', content: { confirm: true } };
    });
    expect((await client.call('ssh_exec', { target: 'real', script: 'echo one' })).text).toContain('one');
    expect(asked).toBe(0);
    expect((await client.call('ssh_exec', { target: 'real', script: 'printf two' })).text).toContain('two');
    expect(asked).toBe(1);
    const told = await client.call('ssh_host_get', { host: 'real', connect: false });
    expect(told.facts.command_rules).toEqual(['allow: echo *', 'all else: ask']);
    await client.close();
    const lines = (await dc.audit()).split('\n').filter((line) => line.includes('"intent"'));
    expect(lines.slice(-2).map((line) => (JSON.parse(line) as { approved: string }).approved)).toEqual([
      'policy',
      'confirmed',
    ]);
  });
});
