import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { ADD_KEY } from '../../setup/authorizedkey.ts';
import { changeRecord, readRecord, type SetupRecord } from '../../setup/record.ts';
import type { Ssh } from '../../ssh/client.ts';
import { letsUsIn } from './login.ts';
import type { Stage } from './stage.ts';
import { done, trouble } from './tell.ts';

type Copied = SetupRecord['copied'][number];

/** Puts the public key on the server, by ssh itself: a password is typed into that, and we never have it. */
export async function copyKey(stage: Stage, ssh: Ssh, keyPath: string): Promise<void> {
  const { ask, draft, recordFile } = stage;
  const { host, sshPort: port, sshUser: user } = draft;
  const byHand = `By hand: ssh-copy-id -i ${keyPath}.pub -p ${port} ${user}@${host}`;
  if (!existsSync(`${keyPath}.pub`)) {
    return trouble(`${keyPath}.pub is not there.`, `Make it: ssh-keygen -y -f ${keyPath} > ${keyPath}.pub`);
  }
  const question = `Put this key into authorized_keys of ${user} on ${host}? ssh may ask for the password.`;
  if (!(await ask.agree(question))) return trouble('It is not there yet.', byHand);
  const line = readFileSync(`${keyPath}.pub`, 'utf8').trim();
  const copied: Copied = { host, port, user, keyPath, blob: line.split(' ')[1] ?? '', made: '' };
  const before = readRecord(recordFile).copied.find(isFor(copied));
  // Before the act: a key that is there when this is cut off can still be taken out.
  remember(recordFile, before ?? { ...copied, unsure: true });
  const said = await output('ssh', argvOf(stage), `${line}\n`);
  const [, outcome, made = ''] = /^(there|added)(.*)$/m.exec(said) ?? [];
  if (outcome === 'added') {
    remember(recordFile, { ...copied, made: `${before?.made ?? ''}${made}`.trim() });
    return done('The server has it now.');
  }
  if (outcome === 'there') {
    // What was cut off before has put it there.
    if (before) remember(recordFile, { ...before, unsure: undefined });
    else forget(recordFile, copied);
    return done('The server has it already.');
  }
  // Whether it got there before something else went wrong is seen from whether it is let in.
  if (before === undefined && (await letsUsIn(stage, ssh))?.kind === 'authentication') forget(recordFile, copied);
  trouble('The key could not be put there.', byHand);
}

const isFor =
  ({ host, user, blob }: Copied) =>
  (one: Copied): boolean =>
    one.host === host && one.user === user && one.blob === blob;

const forget = (recordFile: string, copied: Copied): void =>
  changeRecord(recordFile, (now) => ({ copied: now.copied.filter((one) => !isFor(copied)(one)) }));

const remember = (recordFile: string, copied: Copied): void =>
  changeRecord(recordFile, (now) => ({ copied: [...now.copied.filter((one) => !isFor(copied)(one)), copied] }));

function argvOf({ ask, draft, loaded }: Stage): string[] {
  const known = [loaded.ownKnownHosts, loaded.settings.sshKnownHosts].map((file) => `"${file}"`).join(' ');
  const options = [
    'StrictHostKeyChecking=yes',
    `UserKnownHostsFile=${known}`,
    'ControlPath=none',
    ...(ask.interactive ? [] : ['BatchMode=yes']),
  ];
  const script = `exec sh -c '${ADD_KEY.replaceAll("'", "'\\''")}'`;
  return [
    ...options.flatMap((option) => ['-o', option]),
    ...['-p', String(draft.sshPort), '-l', draft.sshUser, '--', draft.host, script],
  ];
}

/** What a program says on stdout; it asks on the terminal by itself, past its stdin. */
const output = (file: string, args: readonly string[], input: string): Promise<string> =>
  new Promise((resolve) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    child.stdin.on('error', () => {}).end(input);
    child.once('error', () => resolve(text));
    child.once('close', () => resolve(text));
  });
