import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SetupRecord } from '../../setup/record.ts';
import { isOwn } from '../../setup/settingsfile.ts';
import { KEY_COMMENT, KEY_NAME } from './login.ts';
import type { Stage } from './stage.ts';
import { note } from './tell.ts';

/**
 * What a set-up has put into the known places, for when there is no record of it; what may be somebody else's is left
 * out. Entries of AI clients are looked for elsewhere.
 */
export function inKnownPlaces(stage: Stage): SetupRecord {
  const { loaded, home } = stage;
  const { defaultFile, ownKnownHosts, settings, token } = loaded;
  const own = existsSync(defaultFile) && isOwn(readFileSync(defaultFile, 'utf8'));
  const files = [dirname(defaultFile), ownKnownHosts, defaultFile].filter(existsSync);
  const key = ourKey(home);
  const runtime = join(process.env.XDG_DATA_HOME || join(home, '.local', 'share'), 'proxmox-ssh-mcp');
  const server = { host: settings.sshHost ?? '', port: settings.sshPort, user: settings.sshUser };
  if (own && token) {
    const [user, name] = token.id.split('!');
    note(
      `Nothing says who made the token ${token.id}, so it stays. To remove it: pveum user token remove ${user} ${name}`,
    );
  }
  return {
    ...{ runtime: existsSync(join(runtime, 'node_modules', 'node')) ? { folder: runtime } : undefined },
    files: own ? files : [],
    key: key && { path: key.path },
    copied: own && key && settings.sshHost ? [{ ...server, keyPath: key.path, blob: key.blob, made: '' }] : [],
    tokens: [],
    keychain: own && settings.proxmoxTokenKeychain && token ? [{ account: token.id }] : [],
    registrations: [],
    taken: [],
  };
}

/** The key that a set-up makes, which it writes its name into. */
function ourKey(home: string): { readonly path: string; readonly blob: string } | undefined {
  const path = join(home, '.ssh', KEY_NAME);
  if (!existsSync(`${path}.pub`)) return undefined;
  const [, blob, comment] = readFileSync(`${path}.pub`, 'utf8').trim().split(' ');
  return blob !== undefined && comment === KEY_COMMENT ? { path, blob } : undefined;
}
