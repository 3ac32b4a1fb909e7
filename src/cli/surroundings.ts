import { execSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import type { HostsAround } from '../config/inventory.ts';
import { type Loaded, loadSettings } from '../config/load.ts';
import type { Problem } from '../config/problem.ts';
import { keys, settingOf } from '../config/settings.ts';
import { keychainEntry } from './keychain.ts';

/** Flags by the key of their setting, as commander gives them. */
export type Flags = Readonly<Record<string, string | undefined>>;

declare const PACKAGE_VERSION: string | undefined;

/** The version of the package; set when it is built. */
export const version = typeof PACKAGE_VERSION === 'string' ? PACKAGE_VERSION : '0.0.0-source';

/** The files and the user of this process, as hosts are made from them. */
export const ground = (): Omit<HostsAround, 'nodes'> => ({
  home: homedir(),
  localUser: localUser(),
  readFile: (path) => readFileSync(path, 'utf8'),
  readDir: (path) => readdirSync(path),
  stamp,
  exists: existsSync,
});

/** What the files of the HTTP server are read and judged by. */
export const httpGround = () => ({ readFile: ground().readFile, stat: statSync, uid: process.getuid?.() });

/** A file system's clock may stand still between two changes that follow each other this closely. */
const CLOCK_STEP_MS = 2_000;

function stamp(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (!found) return 'none';
    const { dev, ino, size, mtimeMs, ctimeMs } = found;
    return ctimeMs < Date.now() - CLOCK_STEP_MS ? [dev, ino, size, mtimeMs, ctimeMs].join() : undefined;
  } catch {
    return undefined;
  }
}

const COMMAND_MS = 15_000;

/** The command of a password manager may need a secret of its own, but none of our settings. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours: readonly string[] = keys.flatMap((key) => (settingOf(key).secret ? [settingOf(key).env] : []));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.includes(name)));
}

/** Of a command that the operator configured, by the shell as they would type it. */
function firstLine(command: string): string {
  try {
    const env = withoutOurs(process.env);
    const text = execSync(command, { encoding: 'utf8', timeout: COMMAND_MS, env, stdio: ['ignore', 'pipe', 'pipe'] });
    return text.split('\n')[0] ?? '';
  } catch (error) {
    const { stderr, status } = error as { stderr?: string; status?: number | null };
    const said = (stderr ?? '').trim().split('\n').at(-1);
    throw new Error(said || (status == null ? `it took longer than ${COMMAND_MS / 1000} s` : `exit ${status}`));
  }
}

/** Loads the settings of this process, and removes from its environment what may be secret. */
export function loadHere(flags: Flags, problems: readonly Problem[] = []): Loaded {
  const { home, readFile } = ground();
  const settingsFile = flags.settingsFile && resolve(flags.settingsFile.replace(/^~(?=\/)/, () => home));
  const loaded = loadSettings({
    flags: { ...flags, settingsFile },
    env: process.env,
    home,
    uid: process.getuid?.(),
    problems,
    readFile,
    run: firstLine,
    keychain: (account) => keychainEntry(account).read(),
    stat: statSync,
  });
  for (const name of loaded.scrub) delete process.env[name];
  return loaded;
}

/** Where a settings file is looked for when no flag names one, as people write it. */
export const usualSettingsFile = (): string =>
  join(process.env.XDG_CONFIG_HOME || '~/.config', 'proxmox-ssh-mcp', '.env');

function localUser(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry in the user database.
    return undefined;
  }
}
