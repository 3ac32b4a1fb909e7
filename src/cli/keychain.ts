import { createRequire } from 'node:module';
import { Failure } from '../failure.ts';

/** One secret in the keychain of this system. All of it throws `misconfigured` when the keychain does not do it. */
export interface KeychainEntry {
  /** Undefined when there is none. */
  read(): string | undefined;
  keep(secret: string): void;
  remove(): void;
}

/** What @napi-rs/keyring has of an entry. */
interface Native {
  getPassword(): string | null;
  setPassword(secret: string): void;
  deletePassword(): boolean;
}

type Keyring = { readonly Entry: new (service: string, account: string, options: object) => Native };

const SERVICE = 'proxmox-ssh-mcp';

/** The entry of an account in the keychain of this system; the package for it is optional. */
export function keychainEntry(account: string): KeychainEntry {
  return {
    read: () => asked(account, (entry) => entry.getPassword() ?? undefined),
    keep: (secret) => asked(account, (entry) => entry.setPassword(secret)),
    remove: () => void asked(account, (entry) => entry.deletePassword()),
  };
}

function asked<T>(account: string, act: (entry: Native) => T): T {
  try {
    const { Entry } = createRequire(import.meta.url)('@napi-rs/keyring') as Keyring;
    // The other store of Linux forgets everything when the machine is turned off.
    return act(new Entry(SERVICE, account, { linux: { store: 'secret-service' } }));
  } catch (cause) {
    throw refused(cause as NodeJS.ErrnoException);
  }
}

function refused(cause: NodeJS.ErrnoException): Failure {
  const why = cause.message.split('\n')[0] ?? '';
  if (cause.code === 'MODULE_NOT_FOUND') {
    const text = 'There is no @napi-rs/keyring beside this program, which the keychain takes.';
    return new Failure('misconfigured', text, 'Install this program again, optional packages included.', { cause });
  }
  if (/dismissed|locked/i.test(why)) {
    return new Failure('misconfigured', 'The keychain of this system is locked.', 'Unlock it.', { cause });
  }
  const cure = 'It takes a desktop session with a keychain (GNOME Keyring, KWallet, KeePassXC), or that of the system.';
  return new Failure('misconfigured', `The keychain of this system cannot be used: ${why}.`, cure, { cause });
}
