import { visible } from '../../present/visible.ts';
import { say } from '../terminal.ts';

const PATIENCE_MS = 1_000;

/** A heading, after which the lines of one step follow. */
export const step = (number: number, of: number, title: string): void => say(`\n[${number}/${of}] ${title}`);

export const done = (text: string): void => say(`  ✓ ${text}`);
export const note = (text: string): void => say(`    ${text}`);
/** What did not work, and what to do about it. */
export const trouble = (cause: string, cure: string): void => {
  process.stderr.write(`  ! ${visible(cause)}\n    ${visible(cure)}\n`);
};

/** Says what is being done, once that takes more than a second. */
export async function during<T>(what: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => note(`${what} …`), PATIENCE_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}
