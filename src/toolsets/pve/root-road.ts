import { Failure } from '../../failure.ts';
import { type Facts, remote } from '../../present/answer.ts';
import { meaningOf } from '../../pve/errors.ts';
import type { Guest } from '../../pve/guests.ts';
import type { CommandResult, HostSpec } from '../../ssh/client.ts';
import { quote } from '../../ssh/quote.ts';
import { nodeHost, reaches, type ToolContext } from '../tool.ts';
import type { Change, Settings } from './settings.ts';

const program = ({ kind }: Guest): 'pct' | 'qm' => (kind === 'lxc' ? 'pct' : 'qm');

/**
 * The host that root@pam's own road leads to: the guest's node, where SSH logs in as root. A `permission` Failure says
 * of both roads why they are closed, and what opens one. `why` is a clause: what the change holds that no token may do.
 */
export async function rootRoad({ ssh, setup }: ToolContext, guest: Guest, why: string): Promise<HostSpec> {
  const closed = (road: string, cure: string, cause?: unknown): Failure =>
    new Failure(
      'permission',
      `${guest.label}: ${why} is for root@pam itself, which no API token is, and the other road, ${program(guest)} over SSH, is closed: ${road}. Nothing was done.`,
      cure,
      { cause },
    );
  if (!reaches(setup.toolsets, 'ssh')) {
    throw closed(
      'SSH is not among the chosen tools',
      'An operator can add ssh to MCP_TOOLSETS, or make the change in the web interface as root@pam.',
    );
  }
  const called = nodeHost(guest.node, setup.cluster);
  const host = await ssh.hosts.ofNode(guest.node).catch((error: unknown) => {
    throw closed(
      `no SSH host is known for ${called}`,
      `Name ${called} in the hosts file or in ~/.ssh/config with a login as root, or make the change in the web interface as root@pam.`,
      error,
    );
  });
  if (host.spec.user === 'root') return host.spec;
  throw closed(
    `SSH logs in to ${guest.node} as ${host.spec.user}`,
    `Set its login to root, or run ${program(guest)} there with ssh_sudo_exec, or make the change in the web interface as root@pam.`,
  );
}

/** Keys that `qm set` reads from a file or a terminal, and not from its command line (qemu-server, PVE/CLI/qm.pm). */
const notByCommand: ReadonlySet<string> = new Set(['sshkeys']);

/** Refuses what the command cannot do together with the rest: a call goes by one road, or not at all. */
export function refuseMixed(guest: Guest, { set }: Change): void {
  const odd = Object.keys(set).find((key) => guest.kind === 'qemu' && notByCommand.has(key));
  if (odd === undefined) return;
  throw new Failure(
    'invalid-input',
    `${odd} goes over the API only, and the rest of this call over SSH only. Nothing was done.`,
    `Set ${odd} in a call of its own.`,
  );
}

/** `pct set` or `qm set` with the whole change, once, on the condition that nothing was changed since `settings` were read. */
export async function setAsRoot(
  context: ToolContext,
  host: HostSpec,
  guest: Guest,
  { digest }: Settings,
  { set, remove }: Change,
): Promise<Facts> {
  const options = [
    ...Object.entries(set).map(([key, value]) => `--${key}=${value}`),
    ...(remove.length > 0 ? [`--delete=${remove.join(',')}`] : []),
    ...(digest === undefined ? [] : [`--digest=${digest}`]),
  ];
  return runAsRoot(context, host, guest, 'set', options);
}

/** `pct unlock` or `qm unlock`, once. */
export const unlockAsRoot = (context: ToolContext, host: HostSpec, guest: Guest): Promise<Facts> =>
  runAsRoot(context, host, guest, 'unlock', []);

/** Said before anything is run; an exit code alone could be pct's own, which lets any errno out. */
const WRONG_HOST = 'psm: this is another host';

/** Only where the machine calls itself as the node is called: a host of that name may be another cluster's. */
async function runAsRoot(
  context: ToolContext,
  host: HostSpec,
  guest: Guest,
  verb: 'set' | 'unlock',
  options: readonly string[],
): Promise<Facts> {
  const command = `${program(guest)} ${verb}`;
  const line = [program(guest), verb, String(guest.vmid), ...options].map(quote).join(' ');
  const script = `[ "$(uname -n | cut -d. -f1)" = ${quote(guest.node)} ] || { echo ${quote(WRONG_HOST)} >&2; exit 1; }\n${line}`;
  const result = await context.ssh.run(host, { script, timeoutMs: context.setup.commandTimeoutMs });
  if (result.exitCode !== 0) throw refusal(command, host, guest, result);
  const warnings = result.stderr.text.trim();
  return { road: `ssh: ${command}`, warnings: warnings === '' ? undefined : remote(warnings) };
}

function refusal(command: string, host: HostSpec, guest: Guest, result: CommandResult): Failure {
  const said = result.stderr.text.trim().replace(/\s*\n\s*/g, ' ');
  if (said.includes(WRONG_HOST)) {
    return new Failure(
      'misconfigured',
      `The SSH host ${host.name} does not call itself ${guest.node}, so it is not the node of ${guest.label}. Nothing was done.`,
      `Correct the address of ${guest.node} in the hosts file or in ~/.ssh/config.`,
    );
  }
  const known = meaningOf(said, String(guest.vmid));
  return new Failure(
    known?.kind ?? (/\b400 Parameter verification failed/.test(said) ? 'invalid-input' : 'remote-error'),
    `${command} ${guest.vmid} on ${host.name} ended with exit code ${result.exitCode ?? 'unknown'}: ${said.slice(0, 300) || 'it said nothing'}`,
    known?.cure ?? 'What it said is in stderr; look at the guest again before repeating it.',
    { facts: { road: `ssh: ${command}`, stderr: result.stderr }, said: said.slice(0, 300) },
  );
}
