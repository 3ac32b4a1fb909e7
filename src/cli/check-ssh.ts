import type { Inventory } from '../config/inventory.ts';
import type { Loaded } from '../config/load.ts';
import { asFailure } from '../failure.ts';
import type { HostSpec, Ssh } from '../ssh/client.ts';
import type { PoolOptions } from '../ssh/pool.ts';
import { scanHostKey } from '../ssh/scan.ts';
import { type Check, type Checks, failed, failure, ok, skipped, speedCheck, warning } from './check.ts';

const COMMAND_MS = 10_000;

/** The way to the main host: its key, the login, sudo where the login is not root, and `pct`. */
export async function* sshChecks({ settings }: Loaded, hosts: Inventory, options: PoolOptions, ssh: Ssh): Checks {
  const rest = ['SSH login', 'sudo', 'pct'];
  if (settings.sshHost === undefined) return yield* skipped(['SSH host key', ...rest], 'SSH_HOST is not set');
  let host: HostSpec;
  try {
    host = (await hosts.find(settings.sshHost)).spec;
  } catch (error) {
    yield failure('SSH host', error);
    return yield* skipped(rest, 'the host is not usable');
  }
  const key = await keyCheck(host, options);
  yield key;
  if (key.state === 'failed') return yield* skipped(rest, 'the host key could not be checked');
  if (!(yield* loginChecks(host, ssh))) return;
  yield* hostChecks(host, ssh);
  yield* speedCheck('SSH speed', () => ssh.run(host, { script: 'true', timeoutMs: COMMAND_MS }));
}

/** What stands in the way of many commands, or of another try after a wrong password. */
const LIMITS = `PATH=$PATH:/usr/sbin:/sbin
for jail in $(fail2ban-client status 2>/dev/null | sed -n 's/.*Jail list:[[:space:]]*//p' | tr -d ','); do echo "fail2ban $jail"; done
pidof fail2ban-server >/dev/null 2>&1 && echo fail2ban
sshd -T 2>/dev/null | grep -iE '^(maxsessions|persourcepenalties|maxstartups) '
true`;

/** We open up to eight channels; one of them is kept back for ending commands. */
const CHANNELS = 8;

async function* hostChecks(host: HostSpec, ssh: Ssh): Checks {
  const sudo = host.user !== 'root';
  const found = await ssh.run(host, { script: LIMITS, sudo, timeoutMs: COMMAND_MS }).catch(() => undefined);
  if (!found) return;
  const said = found.stdout.text.toLowerCase();
  const sessions = Number(/^maxsessions (\d+)/m.exec(said)?.[1] ?? Number.NaN);
  if (sessions < CHANNELS) {
    const says = `MaxSessions is ${sessions}: that many commands run at once, and more wait.`;
    yield warning('SSH limits', says, `MaxSessions 10 in its sshd_config is usual.`);
  } else if (!Number.isNaN(sessions)) yield ok('SSH limits', `MaxSessions ${sessions}`);
  const guards = [
    ...(said.includes('fail2ban') ? ['fail2ban'] : []),
    ...(/^persourcepenalties (?!no)/m.test(said) ? ['PerSourcePenalties of sshd'] : []),
  ];
  if (guards.length > 0)
    yield ok('SSH limits', `${guards.join(' and ')} shut out an address that fails to log in again and again`);
}

async function keyCheck(host: HostSpec, options: PoolOptions): Promise<Check> {
  const name = 'SSH host key';
  try {
    const { keyType, fingerprint, verdict } = await scanHostKey(host, { ...options, acceptNew: false });
    const says = `${host.name} (${host.address}:${host.port}) shows ${keyType} ${fingerprint}`;
    if (verdict === 'known') return ok(name, `${says}, which is known`);
    if (verdict === 'unknown' && options.acceptNew) return warning(name, `${says}, which SSH_ACCEPT_NEW will accept`);
    const replace = verdict === 'changed' ? ' --replace' : '';
    const cure =
      verdict === 'revoked'
        ? 'Give the host a new key: this one is marked @revoked in known_hosts.'
        : `Compare it with what the host itself shows, then run: proxmox-ssh-mcp trust ${host.name}${replace}`;
    return failed(name, `${says}, which is ${verdict === 'unknown' ? 'not known' : verdict}.`, cure);
  } catch (error) {
    return failure(name, error);
  }
}

/** Gives whether we are let in. */
async function* loginChecks(host: HostSpec, ssh: Ssh): AsyncGenerator<Check, boolean, undefined> {
  const told = async (script: string, sudo: boolean): Promise<string> =>
    (await ssh.run(host, { script, sudo, timeoutMs: COMMAND_MS })).stdout.text.trim();
  let user: string;
  try {
    user = await told('id -un', false);
    yield ok('SSH login', `${host.user}@${host.address}:${host.port} lets us in`);
  } catch (error) {
    yield failure('SSH login', error);
    yield* skipped(['sudo', 'pct'], 'the login failed');
    return false;
  }
  const root = user === 'root';
  if (!root) yield await sudoCheck(host, () => told('id -un', true));
  const pct = await told('PATH=$PATH:/usr/sbin:/sbin command -v pct || true', false).catch(
    (error) => asFailure(error).message,
  );
  yield pct.startsWith('/')
    ? ok('pct', `${pct} is there`)
    : warning(
        'pct',
        `${host.name} has no pct, so pct_exec cannot reach containers on it.`,
        'Set SSH_HOST to a Proxmox VE node.',
      );
  return true;
}

async function sudoCheck(host: HostSpec, asRoot: () => Promise<string>): Promise<Check> {
  try {
    const user = await asRoot();
    if (user === 'root') return ok('sudo', `${host.user} becomes root`);
    return warning('sudo', `sudo gave "${user}" instead of root.`, 'Check sudoers on the host, or log in as root.');
  } catch (error) {
    const { message, hint } = asFailure(error);
    return warning('sudo', message, hint);
  }
}
