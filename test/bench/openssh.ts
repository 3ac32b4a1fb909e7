import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Lab, USER } from './lab.ts';
import { newWord, type Road, untilWord, type Way } from './road.ts';

const run = promisify(execFile);

/** Options by which OpenSSH's programs reach the lab's host, and read no configuration of their own. */
export const opensshOptions = ({ sshd, knownHosts }: Lab): string[] => [
  ...['-F', 'none', '-i', sshd.clientKeyPath, '-o', `Port=${sshd.port}`, '-o', 'BatchMode=yes'],
  ...['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'LogLevel=ERROR'],
];

/** The OpenSSH client with a master connection, one process for each command. */
export function openssh(lab: Lab): Way {
  const to = [...opensshOptions(lab), `${USER}@${lab.sshd.host}`];
  return {
    name: 'OpenSSH with a master',
    async open(): Promise<Road> {
      const path = join(lab.folder, 'master');
      const master = spawn('ssh', ['-M', '-N', '-S', path, ...to], { stdio: 'ignore' });
      const over = once(master, 'exit');
      const isUp = () => run('ssh', ['-S', path, '-O', 'check', ...to]).then(Boolean, () => false);
      while (!(await isUp())) if (master.exitCode !== null) throw new Error('The master connection did not start.');
      return {
        echo: (word) =>
          run('ssh', ['-S', path, ...to, `echo ${word}`]).then(
            ({ stdout }) => stdout === `${word}\n`,
            () => false,
          ),
        async close() {
          master.kill();
          await over;
        },
      };
    },
    async first() {
      const word = newWord();
      return untilWord('ssh', [...to, `echo ${word}`], word);
    },
  };
}
