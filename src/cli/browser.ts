import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { warn } from './terminal.ts';

/** What opens a file in the user's own browser, by system. */
const openers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};

/** Opens a file in the browser of this desktop; where there is none, says how to look at it. */
export async function openInBrowser(file: string): Promise<void> {
  const [command = 'xdg-open', ...args] = openers[process.platform] ?? [];
  const child = spawn(command, [...args, file], { stdio: 'ignore', detached: true });
  const started = await once(child, 'spawn').then(
    () => true,
    () => false,
  );
  if (started) child.unref();
  else warn(`${command} is not there to open it: open the file in a browser yourself.`);
}
