import { createInterface } from 'node:readline/promises';
import { visible } from '../present/visible.ts';

/** One line on stdout. Control characters in it are written out, because parts of it come from other machines. */
export const say = (text: string): void => {
  process.stdout.write(`${visible(text)}\n`);
};

/** One line on stderr, for what is wrong. */
export const warn = (text: string): void => {
  process.stderr.write(`proxmox-ssh-mcp: ${visible(text)}\n`);
};

const CODES = { green: 32, red: 31, yellow: 33, dim: 2 } as const;

/** A mark in colour when stdout is a terminal and NO_COLOR is not set. It is written past `visible`. */
export function mark(text: string, colour: keyof typeof CODES): void {
  const coloured = process.stdout.isTTY && !process.env.NO_COLOR;
  process.stdout.write(coloured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

/** Whether somebody sits there who can be asked. */
export const interactive = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY);

/** Asks; only y and yes are a yes. The end of the input is a no. */
export async function agreed(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
    const reply = await Promise.race([lines.question(`${visible(question)} [y/N] `), closed]);
    return /^y(es)?$/i.test(reply.trim());
  } finally {
    lines.close();
  }
}
