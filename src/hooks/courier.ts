import { join } from 'node:path';
import type { Secret } from '../secret.ts';
import { urlInShort } from './address.ts';
import { Box, type State } from './box.ts';
import { claimed } from './claim.ts';
import { headersOf, type Message } from './message.ts';
import { type SendOptions, type Sent, send } from './send.ts';

export interface CourierOptions extends Omit<SendOptions, 'timeoutMs' | 'signal'> {
  readonly secret: Secret;
  readonly version: string;
  /** Tells the operator, in a sentence. */
  readonly tell: (text: string) => void;
}

export const TIMEOUT_MS = 10_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60_000;
const LONGEST_RETRY_AFTER_MS = 3600_000;
/** What a receiver refuses it will refuse again; it may have been a slip of its own. */
const MOST_REFUSALS = 3;
/** Another process is at it. */
const LOOK_AGAIN_MS = 1_000;
const TELL_AGAIN_MS = 60_000;

/** Brings what waits in one box to one URL, in order and one after the other, whichever process put it there. */
export class Courier {
  readonly box: Box;
  readonly #hangUp = new AbortController();
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #lost = 0;
  #toldLoss = 0;

  constructor(
    private readonly url: string,
    folder: string,
    private readonly options: CourierOptions,
  ) {
    this.box = new Box(folder, (count, why) => this.#tellLoss(count, why));
  }

  /** Something may be due. */
  go(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // Asked for in the very turn in which it ended.
      if (this.#again) this.go();
    });
  }

  /** Waits for the attempt that is under way, for `graceMs` at most; what was not taken is brought at the next start. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const late = setTimeout(() => this.#hangUp.abort(), graceMs);
    await this.#running;
    clearTimeout(late);
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      let wait: number | undefined = LOOK_AGAIN_MS;
      await claimed(join(this.box.folder, 'lock'), async () => {
        wait = await this.#bring();
      });
      if (wait !== undefined) this.#later(wait);
    }
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#closed) this.#timer = setTimeout(() => this.go(), ms).unref();
  }

  /** Brings all that is due. Gives the ms after which there is more to do, if there is. */
  async #bring(): Promise<number | undefined> {
    for (;;) {
      const first = await this.box.first();
      if (!first) return undefined;
      const state = await this.box.state();
      if (state.stoppedAt !== undefined) {
        await this.box.empty();
        return undefined;
      }
      const wait = state.nextAt - Date.now();
      // A longer one was noted by a clock that was wrong.
      if (wait > 0 && wait <= LONGEST_RETRY_AFTER_MS) return wait;
      const sent = await this.#attempt(first.message);
      // Hung up by ourselves: that says nothing of the receiver.
      if (this.#hangUp.signal.aborted && sent.status === undefined) return undefined;
      await this.#note(first, state, sent);
      if (this.#closed) return undefined;
    }
  }

  #attempt(message: Message): Promise<Sent> {
    const { secret, version } = this.options;
    const headers = headersOf(message, secret, version, Date.now());
    const limits = { timeoutMs: TIMEOUT_MS, signal: this.#hangUp.signal };
    return send(this.url, headers, message.body, { ...this.options, ...limits });
  }

  /** What follows from an attempt. The event is gone before the next one is begun, so that the order stays. */
  async #note(
    { name, message }: { readonly name: string; readonly message: Message },
    before: State,
    sent: Sent,
  ): Promise<void> {
    const now = Date.now();
    if (sent.status !== undefined && sent.status >= 200 && sent.status < 300) {
      await this.box.remove(name);
      await this.box.put({ failures: 0, nextAt: 0, deliveredAt: now });
      return;
    }
    const trouble = sent.status === undefined ? sent.trouble : `HTTP ${sent.status}`;
    const state = { ...before, failedAt: now, trouble, failures: before.failures + 1 };
    if (sent.status === 410) {
      this.#tell('it said 410, so nothing more is posted there until "proxmox-ssh-mcp webhook test" is accepted');
      return this.box.put({ ...state, stoppedAt: now });
    }
    const times = before.refused?.id === message.id ? before.refused.times + 1 : 1;
    const refused = isRefusal(sent) ? { id: message.id, times } : undefined;
    if (refused && refused.times >= MOST_REFUSALS) {
      await this.box.giveUp([name], `it was refused ${refused.times} times (${trouble})`);
      return this.box.put({ ...state, failures: 0, nextAt: 0, refused: undefined });
    }
    await this.box.put({ ...state, refused, nextAt: now + waitAfter(state.failures, sent) });
  }

  /** The first at once, and others with the next one after a while. */
  #tellLoss(count: number, why: string): void {
    this.#lost += count;
    if (Date.now() - this.#toldLoss < TELL_AGAIN_MS) return;
    this.#tell(`${this.#lost === 1 ? 'an event was' : `${this.#lost} events were`} given up, because ${why}`);
    this.#toldLoss = Date.now();
    this.#lost = 0;
  }

  #tell(text: string): void {
    this.options.tell(`webhook ${urlInShort(this.url)}: ${text}.`);
  }
}

/** An answer that says that the request is wrong, or is elsewhere; not that it came at a bad time. */
const isRefusal = ({ status = 500 }: Sent): boolean => status < 500 && status !== 408 && status !== 429;

/** Twice as long each time, by chance up to a half less, so that receivers are not met by all at once. */
function waitAfter(failures: number, sent: Sent): number {
  if (sent.status !== undefined && sent.retryAfterMs !== undefined) {
    return Math.min(Math.max(sent.retryAfterMs, FIRST_WAIT_MS), LONGEST_RETRY_AFTER_MS);
  }
  const longest = Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20), LONGEST_WAIT_MS);
  return longest * (1 - Math.random() / 2);
}
