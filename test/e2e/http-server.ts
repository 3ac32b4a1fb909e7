import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Datacentre } from './datacentre.ts';

/** Our server over HTTP, as a process of its own. */
export interface HttpServer {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
  readonly tokenFile: string;
  stderr(): string;
  readonly gone: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stop(): Promise<void>;
}

/** Starts it with these arguments and gives what it was when it ended, or the sentence that it serves. */
export async function launchHttp(
  dc: Datacentre,
  args: readonly string[] = ['--http', '127.0.0.1:0'],
  settings: Readonly<Record<string, string>> = {},
) {
  const launch = await dc.launch(settings);
  const child = spawn(launch.command, [...launch.args, ...args], {
    env: launch.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  const gone = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  const serving = new Promise<string>((resolve) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
      const [, url] = /Serving MCP on (\S+) /.exec(stderr) ?? [];
      if (url) resolve(url);
    });
  });
  return { child, gone, url: await Promise.race([serving, gone.then(() => undefined)]), stderr: () => stderr };
}

export async function startHttp(dc: Datacentre, settings: Readonly<Record<string, string>> = {}): Promise<HttpServer> {
  const { url, ...started } = await launchHttp(dc, undefined, settings);
  if (url === undefined) throw new Error(`it did not start: ${started.stderr()}`);
  const tokenFile = join(dc.dir, '.config/proxmox-ssh-mcp/http-token');
  const token = (await readFile(tokenFile, 'utf8')).trim();
  const stop = async (): Promise<void> => {
    started.child.kill('SIGTERM');
    await started.gone;
  };
  return { ...started, url, token, tokenFile, stop };
}
