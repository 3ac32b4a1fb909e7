import { streamNames } from './output.ts';
import type { Session } from './session.ts';
import { within } from './session.ts';

export interface ReadWish {
  /** How long at most. */
  readonly waitMs: number;
  /** Waits for this text of the running script, and not for any. */
  readonly until?: string;
  readonly signal: AbortSignal;
}

/** What is being written is waited for a little, so that lines are not cut. */
const QUIET_MS = 120;
const WRITING_MS = 1_000;

/** Waits for what a session has to tell. Gives whether `until` was seen. */
export async function waitFor(session: Session, { waitMs, until, signal }: ReadWish): Promise<boolean> {
  const command = session.untold;
  const end = performance.now() + waitMs;
  const left = () => (signal.aborted ? 0 : Math.max(0, end - performance.now()));
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  const news = (ms: number) => within(ms, Promise.race([session.news(), aborted]));
  let found = false;
  if (until !== undefined && command) {
    command.lookFor(until, () => {
      found = true;
    });
    const unread = await command.unread.peek();
    found ||= streamNames.some((name) => unread[name].bytes.includes(until));
  }
  const over = () => (command ? command.endedAt !== undefined : session.ended !== undefined);
  const told = () => session.strays.bytes > 0 || (command?.unread.bytes ?? 0) > 0;
  while (!found && !over() && (until !== undefined || !told()) && left() > 0) await news(left());
  if (until !== undefined || over()) return found;
  const written = () => (command?.unread.bytes ?? 0) + session.strays.bytes;
  const last = Math.min(end, performance.now() + WRITING_MS);
  for (let seen = -1; seen !== written() && performance.now() < last && !over(); ) {
    seen = written();
    await within(Math.min(QUIET_MS, Math.max(0, last - performance.now())), aborted);
  }
  return found;
}
