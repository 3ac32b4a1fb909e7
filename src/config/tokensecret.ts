import type { Read, Surroundings } from './load.ts';
import type { Problem } from './problem.ts';
import type { Settings } from './settings.ts';
import { tokenValue } from './values.ts';

/**
 * The token's secret, where the settings do not hold it but say who does: the keychain, else a command. What is wrong
 * with that is a problem; the server starts all the same.
 */
export function fetchTokenSecret({ values, sources, problems }: Read, around: Surroundings): void {
  if (values.get('proxmoxTokenValue') !== undefined) return;
  const command = values.get('proxmoxTokenCommand') as Settings['proxmoxTokenCommand'];
  const byKeychain = values.get('proxmoxTokenKeychain') === true;
  if (!byKeychain && command === undefined) return;
  const key = byKeychain ? 'proxmoxTokenKeychain' : 'proxmoxTokenCommand';
  const source = `${byKeychain ? 'PROXMOX_TOKEN_KEYCHAIN' : 'PROXMOX_TOKEN_COMMAND'} (${sources.get(key)})`;
  try {
    const account = accountOf(String(values.get('proxmoxUser')), String(values.get('proxmoxTokenName')));
    const text = byKeychain ? around.keychain(account) : around.run(command ?? '');
    const secret = tokenValue.schema.safeParse(text ?? '');
    if (!secret.success) {
      const why = byKeychain && text === undefined ? `has none for ${account}` : 'gives no secret of a token';
      problems.push(noSecret(`${source} ${why}`, byKeychain));
    }
    values.set('proxmoxTokenValue', secret.data);
    sources.set('proxmoxTokenValue', source);
  } catch (error) {
    problems.push(noSecret(`${source} gives no secret: ${(error as Error).message.replace(/\.$/, '')}`, byKeychain));
  }
}

/** What the keychain has the secret under: `user@realm!name`. */
export const accountOf = (user: string, name: string): string => (name.includes('!') ? name : `${user}!${name}`);

const noSecret = (why: string, byKeychain: boolean): Problem => ({
  cause: `PROXMOX_TOKEN_VALUE cannot be had: ${why}.`,
  cure: byKeychain
    ? 'Unlock the keychain, and start the server again; or keep the secret elsewhere: "proxmox-ssh-mcp setup".'
    : 'Run the command by hand: it has to print the secret, and nothing else, without a question.',
  blocks: ['pve'],
});
