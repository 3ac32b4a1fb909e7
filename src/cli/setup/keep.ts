import { asFailure } from '../../failure.ts';
import { changeRecord } from '../../setup/record.ts';
import { keychainEntry } from '../keychain.ts';
import type { Stage } from './stage.ts';
import { done, trouble } from './tell.ts';

type Store = 'keychain' | 'file';

/** Why the keychain of this system cannot be used; undefined when it kept something and gave it back. */
function whyNoKeychain(): string | undefined {
  try {
    const probe = keychainEntry('setup-probe');
    probe.setPassword('probe');
    const kept = probe.getPassword();
    probe.deletePassword();
    return kept === 'probe' ? undefined : 'it gives back nothing';
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

/** Where the token's secret is kept: the system's keychain where one works, else the settings file. */
export async function keepSecret(stage: Stage): Promise<void> {
  const { ask, answers, draft, loaded, recordFile } = stage;
  if (!draft.token || draft.token === loaded.token) return;
  if (typeof answers.secretCommand === 'string') {
    draft.keep = { by: 'command', command: answers.secretCommand };
    return;
  }
  const works = answers.secretStore === 'file' ? 'not wanted' : whyNoKeychain();
  const file = { value: 'file' as const, label: 'In the settings file', hint: 'readable for this user alone' };
  const keychain = { value: 'keychain' as const, label: "In the system's keychain" };
  const store = await ask.choose<Store>({
    flag: 'secret-store',
    question: 'Where is the secret of the token to be kept?',
    options: works === undefined || answers.secretStore === 'keychain' ? [keychain, file] : [file],
    initial: works === undefined ? 'keychain' : 'file',
  });
  draft.keep = { by: 'file' };
  if (store === 'file') return;
  try {
    const account = draft.token.id;
    changeRecord(recordFile, ({ keychain: kept }) => ({
      keychain: [...kept.filter((one) => one.account !== account), { account }],
    }));
    keychainEntry(account).setPassword(draft.token.secret.reveal());
    draft.keep = { by: 'keychain' };
    done('The secret is in the keychain.');
  } catch (error) {
    changeRecord(recordFile, ({ keychain: kept }) => ({
      keychain: kept.filter(({ account }) => account !== draft.token?.id),
    }));
    trouble(`The keychain does not take it: ${asFailure(error).message}`, 'The settings file keeps it instead.');
  }
}
