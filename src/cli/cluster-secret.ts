import { text } from 'node:stream/consumers';
import { keychainAccount } from '../config/clusters.ts';
import { readHostsFile } from '../config/hostsfile.ts';
import { tokenValue } from '../config/values.ts';
import { asFailure, Failure } from '../failure.ts';
import { changeRecord } from '../setup/record.ts';
import { keychainEntry } from './keychain.ts';
import { recordBeside } from './register.ts';
import { createAsker } from './setup/asker.ts';
import { type Flags, ground, loadHere } from './surroundings.ts';
import { interactive, say, warn } from './terminal.ts';

/** Takes the secret of a further cluster's token from whoever types it, or from stdin, into the system's keychain. */
export async function clusterSecret(name: string, flags: Flags): Promise<void> {
  try {
    const { settings, defaultFile } = loadHere(flags);
    const { id } = tokenOf(name, settings.inventoryFile);
    const typed = interactive()
      ? (await createAsker({}, true).secret(`Secret of ${id} of ${name}`)).reveal()
      : (await text(process.stdin)).trim();
    const secret = tokenValue.schema.safeParse(typed);
    if (!secret.success) {
      throw new Failure('invalid-input', 'That is no secret of a token.', `It must be ${tokenValue.takes}.`);
    }
    const account = keychainAccount(name, id);
    const others = <T extends { readonly account: string }>(kept: readonly T[]): T[] =>
      kept.filter((one) => one.account !== account);
    // Noted first: what is in the keychain and not in the record would outlive an uninstall.
    changeRecord(recordBeside(defaultFile), ({ keychain }) => ({ keychain: [...others(keychain), { account }] }));
    keychainEntry(account).keep(secret.data.reveal());
    say(`The secret is in the keychain, as ${account}.`);
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exitCode = 1;
  }
}

/** The token of that cluster, which has to be said to be in the keychain. */
function tokenOf(name: string, file: string | undefined): { readonly id: string } {
  const { clusters = new Map(), problem } = readHostsFile(file, ground().readFile);
  if (problem) throw new Failure('misconfigured', problem.cause, problem.cure);
  const token = clusters.get(name)?.token;
  if (token === undefined) {
    const known = [...clusters.keys()].join(', ');
    const cure = known === '' ? 'It describes none.' : `It describes ${known}.`;
    throw new Failure('not-found', `The inventory file (${file ?? 'none'}) has no cluster ${name}.`, cure);
  }
  if (token.keychain) return token;
  const cure = 'Write "keychain": true in its "token", in the place of the other.';
  throw new Failure('misconfigured', `The token of ${name} is said to be elsewhere.`, cure);
}
