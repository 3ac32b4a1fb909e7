import { randomUUID } from 'node:crypto';
import { visible } from './visible.ts';

/** A fresh boundary for one answer. 90 random bits: text that was written before it cannot hold it. */
export const newBoundary = (): string => randomUUID().replaceAll('-', '').slice(0, 24);

/**
 * `text` between two marks that name `boundary`, with its hidden characters written out, so that a reader can tell
 * what a guest or host said from what this server says. The server's instructions explain the marks.
 */
export function fence(text: string, boundary: string): string {
  const body = visible(text);
  const gap = body.includes('\n') ? '\n' : '';
  return `<untrusted ${boundary}>${gap}${body}${gap && !body.endsWith('\n') ? '\n' : ''}</untrusted ${boundary}>`;
}
