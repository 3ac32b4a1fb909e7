import { createRequire } from 'node:module';

/** What @napi-rs/keyring has of an entry. */
interface Entry {
  getPassword(): string | null;
  setPassword(secret: string): void;
  deletePassword(): boolean;
}

type Keyring = { readonly Entry: new (service: string, account: string, options: object) => Entry };

const SERVICE = 'proxmox-ssh-mcp';

/**
 * The entry of an account in the keychain of this system. Throws when the package for it is not installed (it is
 * optional); what the keychain itself refuses is thrown by the entry.
 */
export function keychainEntry(account: string): Entry {
  const { Entry: Made } = createRequire(import.meta.url)('@napi-rs/keyring') as Keyring;
  // The other store of Linux forgets everything when the machine is turned off.
  return new Made(SERVICE, account, { linux: { store: 'secret-service' } });
}
