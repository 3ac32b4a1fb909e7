import { readFileSync } from 'node:fs';
import { connect as tcp } from 'node:net';
import { join } from 'node:path';
import type { Client, ClientChannel } from 'ssh2';
import { type Lab, USER } from './lab.ts';
import { newWord, type Road, untilWord, type Way } from './road.ts';

/** A bare ssh2 connection to the lab's host, without Nagle's delay. */
export async function rawClient({ sshd }: Lab): Promise<Client> {
  const { default: ssh2 } = await import('ssh2');
  const sock = tcp({ host: sshd.host, port: sshd.port, noDelay: true });
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client.on('ready', resolve).on('error', reject);
    client.connect({ sock, username: USER, privateKey: readFileSync(sshd.clientKeyPath) });
  });
  return client;
}

export const rawChannel = (client: Client, command: string): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });

/** One exec over the connection: what the library itself takes. */
const rawEcho = (client: Client, word: string): Promise<boolean> =>
  new Promise((resolve) => {
    client.exec(`echo ${word}`, (error, channel) => {
      if (error) return resolve(false);
      let text = '';
      channel.on('data', (chunk: Buffer) => {
        text += chunk;
      });
      channel.on('close', (code: unknown) => resolve(code === 0 && text === `${word}\n`));
      channel.stderr.resume();
    });
  });

/** ssh2 itself: what anything made of it takes at least. */
export const raw = (lab: Lab): Way => ({
  name: 'raw ssh2 with noDelay',
  async open(): Promise<Road> {
    const client = await rawClient(lab);
    return {
      echo: (word) => rawEcho(client, word),
      close: async () => void client.end(),
    };
  },
  async first() {
    const { sshd } = lab;
    const word = newWord();
    const script = join(import.meta.dirname, 'first-raw.mjs');
    const args = [script, sshd.host, String(sshd.port), USER, sshd.clientKeyPath, word];
    return untilWord(process.execPath, args, word);
  },
});
