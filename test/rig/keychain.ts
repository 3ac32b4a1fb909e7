import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A desktop session with a bus of its own, and GNOME Keyring on it as its keychain. */
export interface Session {
  /** What a program of that session has in its environment. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

const PASSWORD = 'of the keychain';

/** Starts a session whose keychain stands in `folder`, unlocked or as it is before its user logs in. */
export async function startSession(folder: string, locked = false): Promise<Session> {
  const runtime = join(folder, 'run');
  mkdirSync(runtime, { recursive: true, mode: 0o700 });
  const unlock = `printf %s '${PASSWORD}' | gnome-keyring-daemon --unlock --components=secrets >/dev/null; `;
  const script = `${locked ? '' : unlock}echo "$DBUS_SESSION_BUS_ADDRESS"; read -r _`;
  const env = { HOME: folder, XDG_RUNTIME_DIR: runtime, PATH: '/usr/bin:/bin' };
  const session = spawn('dbus-run-session', ['--', 'sh', '-c', script], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  const [address] = (await once(createInterface({ input: session.stdout }), 'line')) as [string];
  return {
    env: { DBUS_SESSION_BUS_ADDRESS: address, XDG_RUNTIME_DIR: runtime },
    async stop() {
      session.stdin.end();
      await once(session, 'exit');
    },
  };
}
