import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tools } from '../../src/toolsets/index.ts';
import { type Bench, startBench } from './harness.ts';
import { inputsOf } from './requests/inputs.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

/** What needs no right at all: the server hands its schema out to everybody, and hosts are known from files. */
const hosts = ['ssh_host_list', 'ssh_host_get', 'ssh_host_set', 'ssh_host_trust'];
const free = new Set(['pve_api_search', 'server_status', 'ssh_exec', 'ssh_sudo_exec', 'ssh_exec_many', ...hosts]);
/** And what has to do with a session that is open. */
const inSession = /^ssh_session_(?!open$)/;
const bound = tools.filter(({ name }) => !free.has(name) && !inSession.test(name));

/** Where any input that the schema allows is likely to be refused for another reason first. */
const inputs: Readonly<Record<string, Record<string, unknown>>> = {
  pve_ct_create: { name: 'web', template: 'debian-13', password: true },
  pve_download: { url: 'https://example.com/a.iso', storage: 'local', node: 'pve1' },
  pve_log: { node: 'pve1' },
  pve_metrics: { guest: 101 },
  ssh_file_download: { target: 'ct/101', path: '/etc/hosts' },
  ssh_file_upload: { target: 'ct/101', local_path: 'hosts', path: '/etc/hosts' },
  ssh_file_write: { target: 'ct/101', path: '/etc/hosts', content: '' },
  ssh_host_logs: { target: 'ct/101' },
  ssh_host_metrics: { target: 'vm/200' },
  ssh_job_kill: { job: 'j8k2m4q@ct/101' },
  ssh_job_read: { job: 'j8k2m4q@ct/101' },
  ssh_session_open: { target: 'ct/101' },
};

describe('a token that may do nothing', () => {
  it.each(bound.map((tool) => [tool.name, tool] as const))(
    '%s says which privilege is missing where, and the line that grants it; nothing is written',
    async (name, tool) => {
      bench.forget();
      bench.world.switches.outage = { status: 403, reason: 'Permission check failed (/vms/102, VM.Audit)' };
      const [made = {}] = fc.sample(inputsOf(tool, bench.world), { numRuns: 1, seed: 403 });
      const input = inputs[name] ?? made;
      const failed = await bench.fails(name, input).finally(() => {
        bench.world.switches.outage = undefined;
      });
      expect(failed).toMatchObject({ kind: 'permission', headline: expect.stringContaining('VM.Audit') });
      expect(failed.hint).toMatch(/pveum acl modify \/vms\/102 --/);
      expect(bench.writes()).toEqual([]);
    },
  );

  it('ssh_exec_many tells it of each guest', async () => {
    bench.world.switches.outage = { status: 403, reason: 'Permission check failed (/vms/102, VM.Audit)' };
    const failed = await bench.fails('ssh_exec_many', { targets: ['ct/101'], script: 'true' }).finally(() => {
      bench.world.switches.outage = undefined;
    });
    expect(JSON.stringify(failed)).toMatch(/VM\.Audit.*pveum acl modify|pveum acl modify.*VM\.Audit/);
  });

  it.each(['ct/101', 'vm/200'])('ssh_exec in %s likewise', async (target) => {
    bench.world.switches.outage = { status: 403, reason: 'Permission check failed (/vms/102, VM.Audit)' };
    const failed = await bench.fails('ssh_exec', { target, script: 'true' }).finally(() => {
      bench.world.switches.outage = undefined;
    });
    expect(failed).toMatchObject({ kind: 'permission', hint: expect.stringContaining('pveum acl modify') });
  });
});
