import fc from 'fast-check';
import { tools } from '../../src/toolsets/index.ts';
import type { Datacentre } from '../e2e/datacentre.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';

export interface Call {
  readonly name: string;
  readonly arguments: Record<string, unknown>;
}

/** They change the list of hosts, by which the rest of the soak has to find its hosts. */
const left = ['ssh_host_set', 'ssh_host_trust'];

/** On the real host `real`, of which no script may be a chance one. */
const onRealHost: readonly Call[] = [
  { name: 'ssh_exec', arguments: { target: 'real', script: 'echo out; echo err >&2; exit 3' } },
  { name: 'ssh_exec', arguments: { target: 'real', script: 'head -c 3000000 /dev/zero | tr "\\0" x' } },
  { name: 'ssh_exec', arguments: { target: 'real', script: 'sleep 0.5; cat', stdin: 'x'.repeat(50_000) } },
  { name: 'ssh_exec', arguments: { target: 'real', script: 'sleep 30 & sleep 30', timeout_s: 1 } },
  { name: 'ssh_sudo_exec', arguments: { target: 'real', script: 'id -un' } },
  { name: 'ssh_host_get', arguments: { target: 'real' } },
  { name: 'ssh_host_metrics', arguments: { target: 'real' } },
  { name: 'ssh_file_write', arguments: { target: 'real', path: '/tmp/psm-soak', content: 'x\n', overwrite: true } },
  { name: 'ssh_file_read', arguments: { target: 'real', path: '/etc/passwd' } },
  { name: 'ssh_file_list', arguments: { target: 'real', path: '/etc' } },
  { name: 'ssh_session_open', arguments: { target: 'real', name: 'soak' } },
  { name: 'ssh_session_run', arguments: { session: 'soak', script: 'cd /tmp; echo $$' } },
  { name: 'ssh_session_close', arguments: { session: 'soak' } },
  { name: 'ssh_exec_many', arguments: { targets: ['real', 'pve1'], script: 'echo both' } },
];

/** One call after the other, without end: each tool with inputs that its schema takes, and what runs for real. */
export function* mix(dc: Datacentre): Generator<Call> {
  const used = tools.filter(({ name }) => !left.includes(name));
  for (let round = 0; ; round++) {
    for (const [i, tool] of used.entries()) {
      const [input = {}] = fc.sample(inputsOf(tool, dc.world), { numRuns: 1, seed: round * 1_000 + i });
      yield { name: tool.name, arguments: input };
      const real = onRealHost[(round * used.length + i) % onRealHost.length];
      if (i % 3 === 0 && real) yield real;
    }
  }
}
