import { startDemo } from '../../demo/index.ts';
import { serve } from '../serve.ts';
import { writeFolder } from './folder.ts';

/** Serves a datacentre made for it over this process's own stdin and stdout, until the client is gone. */
export async function serveDemo(readOnly: boolean): Promise<void> {
  const folder = writeFolder(await startDemo(), readOnly ? 'read-only' : 'guarded');
  process.once('exit', () => folder.remove());
  // What the environment says of a real host would win over the demo's settings file.
  for (const name of Object.keys(process.env)) if (/^(PROXMOX|SSH|MCP)_/.test(name)) delete process.env[name];
  Object.assign(process.env, folder.env);
  await serve({ settingsFile: folder.settingsFile });
}
