import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A real ssh-agent without keys. */
export interface SshAgent {
  readonly socket: string;
  stop(): Promise<void>;
}

export async function startSshAgent(socket: string): Promise<SshAgent> {
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  return {
    socket,
    async stop() {
      child.kill();
      await once(child, 'exit');
    },
  };
}
