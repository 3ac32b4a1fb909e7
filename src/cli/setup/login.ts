import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { connectionOf } from '../../clients.ts';
import { asFailure, type Failure } from '../../failure.ts';
import { changeRecord } from '../../setup/record.ts';
import { agentKeys } from '../../ssh/agent.ts';
import type { Ssh } from '../../ssh/client.ts';
import { acceptHostKey } from '../../ssh/hostkey.ts';
import { scanHostKey } from '../../ssh/scan.ts';
import { calledAs } from '../claude.ts';
import { copyKey } from './copykey.ts';
import { oldKey } from './old.ts';
import { type Stage, serverOf } from './stage.ts';
import { done, during, note, trouble } from './tell.ts';

export const KEY_NAME = 'proxmox_mcp';
/** What the key is called in its public half, and so on the server. */
export const KEY_COMMENT = 'proxmox-ssh-mcp';
const LOGIN_MS = 15_000;

/** Whether the server is known and lets us in with what there is. Nothing is asked and nothing changed. */
export async function tryLogin(stage: Stage, ssh: Ssh): Promise<void> {
  const { draft, loaded, home } = stage;
  const usual = join(home, '.ssh', KEY_NAME);
  draft.keyPath ??= existsSync(usual) ? usual : loaded.settings.sshKeyPath;
  draft.agent = loaded.settings.sshAgent;
  if (!draft.sshAnswers) return;
  draft.hostKeyKnown = await during('Looking at the host key', scan(stage)).then(
    ({ verdict }) => verdict === 'known',
    () => false,
  );
  draft.loginWorks = draft.hostKeyKnown && (await during('Logging in', letsUsIn(stage, ssh))) === undefined;
}

const scan = (stage: Stage) => scanHostKey(serverOf(stage), { ...connectionOf(stage.loaded), acceptNew: false });

/** Why it does not; undefined when it does. */
export async function letsUsIn(stage: Stage, ssh: Ssh): Promise<Failure | undefined> {
  try {
    await ssh.run(serverOf(stage), { script: 'true', timeoutMs: LOGIN_MS });
    return undefined;
  } catch (error) {
    return asFailure(error);
  }
}

/** Step: the host key, a key of ours, and the login with it. */
export async function setUpLogin(stage: Stage, ssh: Ssh): Promise<void> {
  const { draft } = stage;
  if (!draft.sshAnswers) return note('Left out, because SSH does not answer.');
  try {
    draft.hostKeyKnown = await acceptKey(stage);
    if (!draft.hostKeyKnown) return;
    draft.loginWorks = await withKey(stage, ssh);
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind === 'cancelled') throw failure;
    trouble(failure.message, failure.hint);
  }
}

/** Whether the host key is known now: accepted once, by a human or by the fingerprint that was given. */
async function acceptKey(stage: Stage): Promise<boolean> {
  const { ask, answers, draft, loaded, recordFile } = stage;
  const key = await during('Fetching the host key', scan(stage));
  note(`${draft.host} shows the host key ${key.keyType} ${key.fingerprint}.`);
  if (key.verdict === 'known') {
    done('It is known.');
    return true;
  }
  if (key.verdict !== 'unknown') {
    const what = key.verdict === 'changed' ? 'It has changed' : 'It is marked @revoked';
    trouble(`${what}: SSH is not used.`, `If you know why: ${calledAs()} trust ${draft.host} --replace`);
    return false;
  }
  note(
    `The host itself shows its own with: ssh-keygen -lf /etc/ssh/ssh_host_${key.keyType.replace(/^ssh-|-sha2.*/g, '')}_key.pub`,
  );
  const expected = answers.hostKey;
  const right =
    typeof expected === 'string'
      ? expected.replace(/=+$/, '') === key.fingerprint
      : await ask.vouch('Is that its key?');
  if (!right) {
    trouble(
      'It is not accepted, so SSH is not used.',
      'Compare it, then run the setup again, or give it by --host-key.',
    );
    return false;
  }
  const file = loaded.ownKnownHosts;
  if (!existsSync(file)) changeRecord(recordFile, ({ files }) => ({ files: [...files, file] }));
  acceptHostKey(file, serverOf(stage), key);
  done(`Accepted, in ${file}.`);
  return true;
}

type KeyChoice = 'ours' | 'agent' | 'other' | 'old';

async function withKey(stage: Stage, ssh: Ssh): Promise<boolean> {
  const { draft, answers, home, loaded } = stage;
  const path = join(home, '.ssh', KEY_NAME);
  const choice = await chooseKey(stage, existsSync(path));
  // Only what was chosen may let us in now, or it would not be seen that it does not.
  draft.agent = choice === 'agent' ? loaded.settings.sshAgent : undefined;
  draft.keyPath = { agent: undefined, ours: path, other: String(answers.sshKey), old: oldKey(stage) }[choice];
  if (choice === 'ours' && !existsSync(path) && !(await makeKey(stage, path))) return false;
  if (draft.keyPath && isSealed(draft.keyPath)) await giveToAgent(stage, draft.keyPath);
  if ((await during('Logging in', letsUsIn(stage, ssh))) !== undefined && draft.keyPath)
    await copyKey(stage, ssh, draft.keyPath);
  const why = await during('Logging in', letsUsIn(stage, ssh));
  if (why === undefined) done(`${draft.sshUser}@${draft.host} lets us in without a password.`);
  else trouble(why.message, 'The API works without SSH; commands in containers and on hosts do not.');
  return why === undefined;
}

async function chooseKey(stage: Stage, ours: boolean): Promise<KeyChoice> {
  const { ask, answers, loaded } = stage;
  if (typeof answers.sshKey === 'string') return 'other';
  const old = oldKey(stage);
  const held = loaded.settings.sshAgent ? (await agentKeys(loaded.settings.sshAgent).catch(() => [])).length : 0;
  const own = ours ? `The key ~/.ssh/${KEY_NAME} that is there` : `A new key, ~/.ssh/${KEY_NAME}`;
  if (held === 0 && old === undefined) return 'ours';
  return ask.choose<KeyChoice>({
    flag: 'key',
    question: 'Which key is to be used?',
    options: [
      { value: 'ours', label: own, hint: 'Ed25519, for this server alone' },
      ...(held > 0 ? [{ value: 'agent' as const, label: `The ${held} of your SSH agent` }] : []),
      ...(old ? [{ value: 'old' as const, label: `${old}, which the other server uses` }] : []),
    ],
    initial: 'ours',
  });
}

/** An Ed25519 key pair by ssh-keygen, which asks for the passphrase itself. */
async function makeKey({ ask, recordFile, home, loaded }: Stage, path: string): Promise<boolean> {
  if (!(await ask.agree(`Make the key ${path}?`))) {
    trouble('No key was made.', 'SSH is not set up without one; name one of yours with --ssh-key.');
    return false;
  }
  // A server that nobody sits at cannot be told a passphrase; an agent can.
  const offered = ask.interactive && loaded.settings.sshAgent !== undefined;
  const sealed = offered && (await ask.agree('Protect it with a passphrase, which your SSH agent then keeps?', false));
  const folder = join(home, '.ssh');
  const made = existsSync(folder) ? [] : [folder];
  changeRecord(recordFile, ({ files }) => ({ key: { path }, files: [...files, ...made] }));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const code = await run('ssh-keygen', [
    '-q',
    '-t',
    'ed25519',
    '-C',
    KEY_COMMENT,
    '-f',
    path,
    ...(sealed ? [] : ['-N', '']),
  ]);
  if (code === 0) {
    done(`Made ${path}.`);
    return true;
  }
  for (const file of [path, `${path}.pub`]) rmSync(file, { force: true });
  changeRecord(recordFile, ({ files }) => ({ key: undefined, files: files.filter((one) => !made.includes(one)) }));
  trouble('ssh-keygen made no key.', 'Install the OpenSSH client, or name a key of yours with --ssh-key.');
  return false;
}

/** Whether a passphrase protects it; the empty one is not it then. */
const isSealed = (path: string): boolean =>
  existsSync(path) && spawnSync('ssh-keygen', ['-y', '-P', '', '-f', path], { stdio: 'ignore' }).status !== 0;

/** A key with a passphrase is used through the agent, which ssh-add tells it to, asking for it by itself. */
async function giveToAgent({ draft, loaded, ask }: Stage, path: string): Promise<void> {
  draft.agent = loaded.settings.sshAgent;
  if (draft.agent === undefined) {
    return trouble(
      `${path} has a passphrase, and there is no SSH agent to keep it.`,
      `Start one: eval "$(ssh-agent)" && ssh-add ${path}. Or set SSH_KEY_PASSPHRASE.`,
    );
  }
  if (!ask.interactive) return;
  note('The SSH agent needs the passphrase:');
  if ((await run('ssh-add', [path])) !== 0) trouble('The agent did not take the key.', `By hand: ssh-add ${path}`);
}

/** Runs a program on this terminal; its exit code, or undefined when it could not be started. */
const run = (file: string, args: readonly string[]): Promise<number | undefined> =>
  new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    child.once('error', () => resolve(undefined));
    child.once('close', (code) => resolve(code ?? undefined));
  });
