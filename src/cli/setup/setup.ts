import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { connectionOf } from '../../clients.ts';
import { asFailure, Failure } from '../../failure.ts';
import { type ClientName, clients, type Entry } from '../../setup/clients.ts';
import { findOld } from '../../setup/moving.ts';
import { changeRecord } from '../../setup/record.ts';
import { createPool } from '../../ssh/pool.ts';
import { createSsh } from '../../ssh/run.ts';
import { calledAs } from '../claude.ts';
import { around, entryOf, recordBeside, registerIn, showConfig, sweep } from '../register.ts';
import { loadHere } from '../surroundings.ts';
import { interactive, say, warn } from '../terminal.ts';
import { type Answers, createAsker } from './asker.ts';
import { pinCertificate } from './certificate.ts';
import { chooseMode, saveSettings } from './choices.ts';
import { keepSecret } from './keep.ts';
import { setUpLogin, tryLogin } from './login.ts';
import { replaceOld } from './old.ts';
import { askServer } from './server.ts';
import type { Stage } from './stage.ts';
import { done, note, step, trouble } from './tell.ts';
import { getToken } from './token.ts';
import { verify } from './verify.ts';

export interface SetupFlags {
  readonly client: readonly ClientName[];
  readonly name: string;
  readonly answers: Answers;
}

const STEPS = 7;
/** As a shell tells that a program was ended by Ctrl-C: 128 and SIGINT. */
const INTERRUPTED = 130;

/** From nothing to a server that an AI client can start; every step can be repeated, and what fails leaves a way on. */
export async function setup(flags: SetupFlags): Promise<void> {
  const { answers } = flags;
  const given = typeof answers.settingsFile === 'string' ? resolve(answers.settingsFile) : undefined;
  const loaded = loadHere({ settingsFile: given !== undefined && existsSync(given) ? given : undefined });
  const settingsFile = given ?? loaded.defaultFile;
  const stage: Stage = {
    ...{ ask: createAsker(answers, interactive()), answers, loaded, settingsFile },
    ...{ recordFile: recordBeside(loaded.defaultFile), home: homedir() },
    old: findOld(around()),
    draft: { host: '', apiPort: 8006, sshPort: 22, sshUser: 'root' },
  };
  const interrupted = (): void => {
    warn('Stopped in the middle of a step.');
    tellRecord(stage);
    process.exit(INTERRUPTED);
  };
  process.once('SIGINT', interrupted);
  try {
    if (answers.showConfig === true) return showAll(flags, entryOf(settingsFile));
    await allSteps(stage, flags);
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    tellRecord(stage);
    process.exitCode = 1;
  } finally {
    process.off('SIGINT', interrupted);
  }
}

function tellRecord({ recordFile }: Stage): void {
  if (existsSync(recordFile))
    note(`What was done so far is in ${recordFile}; it is taken away by: ${calledAs()} uninstall`);
  else note('Nothing was changed.');
}

function showAll({ client, name }: SetupFlags, entry: Entry): void {
  for (const one of client) showConfig(one, name, entry);
}

async function allSteps(stage: Stage, flags: SetupFlags): Promise<void> {
  const { recordFile, settingsFile, loaded } = stage;
  sweep(recordFile);
  const folders = missingFolders(dirname(recordFile));
  if (folders.length > 0) changeRecord(recordFile, () => ({ files: folders }));
  const { madeRuntime } = stage.answers;
  if (typeof madeRuntime === 'string') changeRecord(recordFile, () => ({ runtime: { folder: madeRuntime } }));
  const ssh = createSsh(createPool(connectionOf(loaded)));
  try {
    step(1, STEPS, 'The server');
    await askServer(stage);
    step(2, STEPS, 'The certificate of its API');
    await tryLogin(stage, ssh);
    await pinCertificate(stage, ssh);
    step(3, STEPS, 'Logging in by SSH');
    await setUpLogin(stage, ssh);
    if (stage.draft.fingerprint === undefined && stage.draft.loginWorks) await pinCertificate(stage, ssh);
    step(4, STEPS, 'The API token');
    await getToken(stage, ssh);
    await keepSecret(stage);
  } finally {
    await ssh.close();
  }
  step(5, STEPS, 'How it is to be used');
  await chooseMode(stage);
  if (!(await saveSettings(stage))) throw new Failure('cancelled', 'Stopped.', 'Run the setup again to go on.');
  step(6, STEPS, 'Registration');
  const entry = entryOf(settingsFile);
  for (const client of flags.client) await registerStep(stage, client, flags, entry);
  await replaceOld(stage);
  step(7, STEPS, 'Does it work?');
  const sound = await verify(stage, entry);
  summarise(stage, flags, sound);
  if (!sound) process.exitCode = 1;
}

/** The folder and those above it that are not there, the outermost first. */
function missingFolders(folder: string): string[] {
  return existsSync(folder) ? [] : [...missingFolders(dirname(folder)), folder];
}

async function registerStep(
  { ask, answers, recordFile }: Stage,
  client: ClientName,
  { name }: SetupFlags,
  entry: Entry,
): Promise<void> {
  const { label } = clients[client];
  const byHand = `By hand: ${calledAs()} register --client ${client}`;
  try {
    if (!(await ask.agree(`Register it as ${name} in ${label}?`))) return note(byHand);
    done(await registerIn(client, name, entry, { replace: answers.replace === true, recordFile }));
  } catch (error) {
    const failure = asFailure(error);
    if (failure.kind === 'cancelled') throw failure;
    trouble(failure.message, `${failure.hint} ${byHand}`);
  }
}

function summarise({ settingsFile, recordFile, draft }: Stage, { client }: SetupFlags, sound: boolean): void {
  say(sound ? '\nIt works.' : '\nIt is set up, and something of it does not work yet: see above.');
  note(`Settings: ${settingsFile}`);
  note(`What was done: ${recordFile}`);
  note(`To look again: ${calledAs()} doctor`);
  note(`To take it all away: ${calledAs()} uninstall`);
  say(`Try, in ${client.map((one) => clients[one].label).join(', ')}:`);
  for (const sentence of [
    'How are RAM and CPU of the server?',
    'Which of my containers have no backup of the last week?',
    `Show me what fills the disk of ${draft.host}.`,
  ]) {
    note(`“${sentence}”`);
  }
}
