import { randomBytes } from 'node:crypto';
import { Failure } from '../failure.ts';
import type { HostSpec, Ssh } from './client.ts';
import type { Keep } from './keep.ts';
import { Killer } from './kill.ts';
import { OutputReader } from './output.ts';
import type { Pool } from './pool.ts';
import { type MakeShell, Session, type SessionPlan } from './session.ts';
import { SessionShell } from './session-shell.ts';
import { SshRoad, type Where } from './session-ssh.ts';

export interface SessionsOptions {
  readonly ssh: Ssh;
  readonly pool: Pool;
  readonly keep?: Keep;
  /** Why none may be opened. */
  readonly refused?: Failure;
  /** One that no call has to do with and that runs nothing is closed after so long: 30 min. */
  readonly idleMs?: number;
}

/** Who and where a session is, besides what the store knows. */
export type Opening = Pick<SessionPlan, 'target' | 'label' | 'name' | 'host'>;

const IDLE_MS = 30 * 60_000;
const MOST = 20;
const MOST_PER_HOST = 8;
/** Sessions that ended are told of until they are closed, or so many came after them. */
const MOST_ENDED = 20;

/** The sessions of this process. */
export class Sessions {
  readonly #sessions: Map<string, Session>;
  readonly #options: SessionsOptions;
  readonly #killer: Killer;
  #looking: NodeJS.Timeout | undefined;

  constructor(options: SessionsOptions, sessions = new Map<string, Session>()) {
    this.#options = options;
    this.#sessions = sessions;
    this.#killer = new Killer(options.pool);
  }

  /** The same sessions for those who may not open one. */
  closed(refused: Failure): Sessions {
    return new Sessions({ ...this.#options, refused }, this.#sessions);
  }

  /** Opens a session over SSH. Fails as a command does that could not be run; `busy` when there are too many. */
  openOn(host: HostSpec, where: Where, opening: Opening, signal: AbortSignal): Promise<Session> {
    const { ssh, pool } = this.#options;
    const count = () => pool.count(host);
    const make: MakeShell = (strays) => {
      const reins = new SshRoad(ssh, this.#killer, host, where);
      return { shell: new SessionShell(reins, strays), reins };
    };
    return this.open({ ...opening, count }, make, signal);
  }

  /** The same of another kind of shell. */
  async open(opening: Opening & Pick<SessionPlan, 'count'>, make: MakeShell, signal: AbortSignal): Promise<Session> {
    const { refused, keep } = this.#options;
    if (refused) throw refused;
    this.#refuseMore(opening.host);
    this.#refuseName(opening.name);
    opening.count();
    const output = (onOutput?: (text: string) => void) => new OutputReader({ keep, byOffset: true, onOutput });
    const session = new Session(this.#newId(), { ...opening, output }, make);
    this.#sessions.set(session.id, session);
    try {
      await session.open(signal);
    } catch (error) {
      this.#sessions.delete(session.id);
      throw error;
    }
    this.#forget();
    this.#watch();
    return session;
  }

  /** Oldest first, those that ended included. */
  list(): readonly Session[] {
    return [...this.#sessions.values()];
  }

  /** The session of that id or name, if there is one. */
  peek(id: string): Session | undefined {
    return this.#sessions.get(id) ?? this.list().find(({ plan }) => plan.name === id);
  }

  /** The session of that id or name, which counts as used by that; `not-found` when there is none. */
  find(id: string): Session {
    const found = this.peek(id);
    if (!found) throw this.#unknown(id);
    found.usedAt = Date.now();
    return found;
  }

  /** Closes one, and forgets it. */
  async close(session: Session): Promise<void> {
    await session.close('was closed');
    this.#sessions.delete(session.id);
  }

  /** Ends all at once, because the process ends. */
  async end(): Promise<void> {
    clearInterval(this.#looking);
    await Promise.all(this.list().map((session) => session.close('ended with the server', true)));
  }

  #refuseMore(host: string): void {
    const live = this.list().filter(({ ended }) => ended === undefined);
    const there = live.filter(({ plan }) => plan.host === host).length;
    if (live.length < MOST && there < MOST_PER_HOST) return;
    const many = live.length < MOST ? `${there} sessions are open on ${host}` : `${live.length} sessions are open`;
    throw new Failure(
      'busy',
      `${many}, as many as there may be.`,
      'ssh_session_list shows them; close one with ssh_session_close, or use ssh_exec.',
    );
  }

  #refuseName(name: string | undefined): void {
    const holder = name === undefined ? undefined : this.peek(name);
    if (!holder) return;
    const text = `There is a session ${name} already: ${holder.title}.`;
    throw new Failure('conflict', text, 'Use it, close it with ssh_session_close, or choose another name.');
  }

  #unknown(id: string): Failure {
    const known = this.list().map((one) => one.title);
    return new Failure(
      'not-found',
      `There is no session ${id.slice(0, 40)}; sessions end with the server, and 30 min after they were last used.`,
      known.length > 0 ? `There is: ${known.join(', ')}.` : 'Open one with ssh_session_open.',
    );
  }

  #newId(): string {
    const id = `s${randomBytes(2).toString('hex')}`;
    return this.#sessions.has(id) ? this.#newId() : id;
  }

  #forget(): void {
    const ended = this.list().filter((session) => session.ended !== undefined);
    for (const { id } of ended.slice(0, -MOST_ENDED)) this.#sessions.delete(id);
  }

  #watch(): void {
    const idleMs = this.#options.idleMs ?? IDLE_MS;
    this.#looking ??= setInterval(() => {
      for (const session of this.list()) {
        if (session.state === 'idle' && Date.now() - session.usedAt > idleMs)
          void session.close('was not used for long');
      }
    }, idleMs / 30).unref();
  }
}
