import { asFailure } from '../../failure.ts';
import { changeRecord } from '../../setup/record.ts';
import { keychainEntry } from '../keychain.ts';
import type { Stage } from './stage.ts';
import { done, trouble } from './tell.ts';

/** Whether the keychain of this system kept something and gave it back. */
function keychainWorks(): boolean {
  try {
    const probe = keychainEntry('setup-probe');
    probe.keep('probe');
    const kept = probe.read();
    probe.remove();
    return kept === 'probe';
  } catch {
    return false;
  }
}

/** Where one works it is asked; `--secret-store keychain` insists. */
async function wantsKeychain({ ask, answers }: Stage): Promise<boolean> {
  if (answers.secretStore === 'keychain') return true;
  if (answers.secretStore === 'file' || !keychainWorks()) return false;
  const store = await ask.choose({
    flag: 'secret-store',
    question: 'Where is the secret of the token to be kept?',
    options: [
      { value: 'keychain' as const, label: "In the system's keychain" },
      { value: 'file' as const, label: 'In the settings file', hint: 'readable for this user alone' },
    ],
    initial: 'keychain' as const,
  });
  return store === 'keychain';
}

/** Where the token's secret is kept: the system's keychain where one works, else the settings file. */
export async function keepSecret(stage: Stage): Promise<void> {
  const { answers, draft, loaded, recordFile } = stage;
  if (!draft.token || draft.token === loaded.token) return;
  if (typeof answers.secretCommand === 'string') {
    draft.keep = { by: 'command', command: answers.secretCommand };
    return;
  }
  draft.keep = { by: 'file' };
  if (!(await wantsKeychain(stage))) return;
  try {
    const account = draft.token.id;
    changeRecord(recordFile, ({ keychain: kept }) => ({
      keychain: [...kept.filter((one) => one.account !== account), { account }],
    }));
    keychainEntry(account).keep(draft.token.secret.reveal());
    draft.keep = { by: 'keychain' };
    done('The secret is in the keychain.');
  } catch (error) {
    changeRecord(recordFile, ({ keychain: kept }) => ({
      keychain: kept.filter(({ account }) => account !== draft.token?.id),
    }));
    const { message, hint } = asFailure(error);
    trouble(message, `${hint} Until then, the settings file keeps the secret.`);
  }
}
