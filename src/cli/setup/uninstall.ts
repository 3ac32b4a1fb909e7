import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { connectionOf } from '../../clients.ts';
import { asFailure, Failure } from '../../failure.ts';
import { removeDrafts } from '../../replacefile.ts';
import { takeBack } from '../../setup/apitoken.ts';
import { REMOVE_KEY } from '../../setup/authorizedkey.ts';
import { changeRecord, type Registration, readRecord, type SetupRecord } from '../../setup/record.ts';
import { restoreEntry, type Undone } from '../../setup/registration.ts';
import type { Ssh } from '../../ssh/client.ts';
import { createPool } from '../../ssh/pool.ts';
import { quote } from '../../ssh/quote.ts';
import { createSsh } from '../../ssh/run.ts';
import { keychainEntry } from '../keychain.ts';
import { recordBeside, registrationsIn, sweep, unregisterOne } from '../register.ts';
import { loadHere } from '../surroundings.ts';
import { interactive, say, warn } from '../terminal.ts';
import { type Answers, createAsker } from './asker.ts';
import { inKnownPlaces } from './known.ts';
import { type Stage, serverOf } from './stage.ts';
import { done, during, note, trouble } from './tell.ts';
import { asRootOf } from './token.ts';

const COMMAND_MS = 30_000;

/** Takes away exactly what the setup put somewhere, each thing asked and told; what others own is left alone. */
export async function uninstall(answers: Answers): Promise<void> {
  const loaded = loadHere({});
  const recordFile = recordBeside(loaded.defaultFile);
  const stage: Stage = {
    ...{ ask: createAsker(answers, interactive()), answers, loaded, recordFile },
    ...{ settingsFile: loaded.defaultFile, home: homedir(), old: [] },
    draft: { host: '', apiPort: 8006, sshPort: 22, sshUser: 'root', keyPath: loaded.settings.sshKeyPath },
  };
  const ssh = createSsh(createPool(connectionOf(loaded)));
  try {
    await takeAllAway(stage, ssh);
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  } finally {
    await ssh.close();
  }
}

async function takeAllAway(stage: Stage, ssh: Ssh): Promise<void> {
  const { recordFile, loaded } = stage;
  sweep(recordFile);
  const record = existsSync(recordFile) ? readRecord(recordFile) : inKnownPlaces(stage);
  await entries(record, stage);
  const onServer = [await tokens(record, stage, ssh), await keys(record, stage, ssh)];
  await secrets(record, stage);
  if (onServer.every(Boolean)) {
    await localFiles(record, stage);
    ownSecrets(stage);
  } else {
    note('The key and the settings stay, because they are needed for what is left on the server.');
    note(`If that server is gone for good, delete ${recordFile} and run it again.`);
  }
  removeEmpty(dirname(recordFile));
  const logs = [dirname(loaded.settings.auditFile), loaded.auditHeads].filter((folder) => existsSync(folder));
  if (existsSync(recordFile)) say(`What is left is in ${recordFile}; run it again for that.`);
  else
    say(logs.length > 0 ? `Nothing of it is left but its logs, in ${logs.join(' and ')}.` : 'Nothing of it is left.');
}

/** Asks for each, and goes on with the next one when one cannot be taken away; whether none was that. */
async function each<T>(
  things: readonly T[],
  question: (thing: T) => string,
  { ask }: Stage,
  remove: (thing: T) => Promise<void>,
): Promise<boolean> {
  let sound = true;
  for (const thing of things) {
    try {
      if (await ask.agree(question(thing))) await remove(thing);
      else note('It stays.');
    } catch (error) {
      const failure = asFailure(error);
      if (failure.kind === 'cancelled') throw failure;
      trouble(failure.message, failure.hint);
      process.exitCode = 1;
      sound = false;
    }
  }
  return sound;
}

async function entries(record: SetupRecord, stage: Stage): Promise<void> {
  const { recordFile } = stage;
  const restoredAll = await each(
    record.taken.toReversed(),
    ({ name, file }) => `Put ${name} back into ${file}, which the set-up took out?`,
    stage,
    async (one) => {
      const undone = restoreEntry(one);
      changeRecord(recordFile, ({ taken }) => ({ taken: taken.filter(({ backup }) => backup !== one.backup) }));
      done(restored[undone](one));
    },
  );
  // The last change first, or the file would not be what it was.
  if (!restoredAll) return;
  await each(
    registrationsIn(recordFile),
    ({ name, file }) => `Take ${name} out of ${file}?`,
    stage,
    async (one) => done(await unregisterOne(one, recordFile)),
  );
}

const restored: Record<Undone, (one: Registration) => string> = {
  done: ({ name, file }) => `Put ${name} back into ${file}.`,
  absent: ({ name, file }) => `${file} is not there any more, so ${name} was not put back.`,
  'not ours': ({ name, file }) => `${name} is in ${file}; it was left as it is.`,
};

type Server = SetupRecord['copied'][number];

const at = (stage: Stage, { host, port, user, keyPath }: Omit<Server, 'blob' | 'made'>): Stage => {
  const { draft, loaded } = stage;
  const login = { sshPort: port, sshUser: user, keyPath: keyPath ?? draft.keyPath, agent: loaded.settings.sshAgent };
  return { ...stage, draft: { ...draft, ...login, host } };
};

const tokens = (record: SetupRecord, stage: Stage, ssh: Ssh): Promise<boolean> =>
  each(
    record.tokens,
    ({ token, server, made }) => {
      const others = made.flatMap((one) =>
        one.what === 'user' ? [`its user ${one.user}`] : one.what === 'role' ? [`the role ${one.role}`] : [],
      );
      return `Remove the token ${[token, ...others].join(', ')} from ${server.host}?`;
    },
    stage,
    async ({ token, server, made }) => {
      await during('Removing the token', takeBack(asRootOf(at(stage, server), ssh), made));
      changeRecord(stage.recordFile, (now) => ({ tokens: now.tokens.filter((one) => one.token !== token) }));
      done(`Removed ${token} from ${server.host}.`);
    },
  );

const keys = (record: SetupRecord, stage: Stage, ssh: Ssh): Promise<boolean> =>
  each(
    record.copied,
    ({ host, user }) => `Take our public key out of authorized_keys of ${user} on ${host}?`,
    stage,
    async (one) => {
      const taken = await takeKeyOut(one, stage, ssh);
      changeRecord(stage.recordFile, ({ copied }) => ({
        copied: copied.filter((other) => other.blob !== one.blob || other.host !== one.host),
      }));
      done(taken ? `Took the key out on ${one.host}.` : `The key never got to ${one.host}.`);
    },
  );

/** False when it is not there because it was never put there. */
async function takeKeyOut(one: Server, stage: Stage, ssh: Ssh): Promise<boolean> {
  const { host, blob, made, unsure } = one;
  const script = `set -- ${quote(blob)} ${quote(made)}\n${REMOVE_KEY}`;
  try {
    const command = ssh.run(serverOf(at(stage, one)), { script, timeoutMs: COMMAND_MS });
    const { exitCode, stderr } = await during('Removing the key', command);
    if (exitCode === 0) return true;
    const text = `It could not be taken out: ${stderr.text.trim()}`;
    throw new Failure('remote-error', text, `By hand, on ${host}: ~/.ssh/authorized_keys`);
  } catch (error) {
    if (unsure && asFailure(error).kind === 'authentication') return false;
    throw error;
  }
}

const secrets = (record: SetupRecord, stage: Stage): Promise<boolean> =>
  each(
    record.keychain,
    ({ account }) => `Delete the secret of ${account} from the keychain?`,
    stage,
    async ({ account }) => {
      keychainEntry(account).remove();
      changeRecord(stage.recordFile, ({ keychain }) => ({
        keychain: keychain.filter((one) => one.account !== account),
      }));
      done(`Deleted the secret of ${account} from the keychain.`);
    },
  );

async function localFiles(record: SetupRecord, stage: Stage): Promise<void> {
  const { key } = record;
  await each(
    key ? [key.path] : [],
    (path) => `Delete the key ${path}? Nothing else can log in with it any more.`,
    stage,
    async (path) => {
      for (const file of [path, `${path}.pub`]) rmSync(file, { force: true });
      changeRecord(stage.recordFile, () => ({ key: undefined }));
      done(`Deleted ${path}.`);
    },
  );
  for (const file of record.files) if (!existsSync(file)) forgetFile(stage, file);
  const files = record.files.filter((file) => existsSync(file) && statSync(file).isFile());
  await each(
    files,
    (file) => `Delete ${file}?`,
    stage,
    async (file) => {
      rmSync(file, { force: true });
      removeDrafts(file);
      forgetFile(stage, file);
      done(`Deleted ${file}.`);
    },
  );
  await each(
    record.runtime ? [record.runtime.folder] : [],
    (folder) => `Delete the Node.js in ${folder}?`,
    stage,
    async (folder) => {
      rmSync(folder, { recursive: true, force: true });
      changeRecord(stage.recordFile, () => ({ runtime: undefined }));
      done(`Deleted ${folder}.`);
    },
  );
  // The deepest first; the record itself stands in one of them, and goes with its last line.
  const folders = record.files.filter((file) => existsSync(file) && statSync(file).isDirectory()).toReversed();
  for (const folder of folders) {
    forgetFile(stage, folder);
    removeEmpty(folder);
  }
}

/** What a running server made for itself to prove who speaks: worth nothing once its settings are gone. */
function ownSecrets({ loaded, settingsFile }: Stage): void {
  if (existsSync(settingsFile)) return;
  for (const file of [loaded.approvals.keyFile, loaded.httpTokenFile, loaded.approvals.folder]) {
    rmSync(file, { recursive: true, force: true });
  }
}

function removeEmpty(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length === 0) rmdirSync(folder);
}

const forgetFile = ({ recordFile }: Stage, file: string): void =>
  changeRecord(recordFile, ({ files }) => ({ files: files.filter((one) => one !== file) }));
