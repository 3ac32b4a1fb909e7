import { type FileHandle, open } from 'node:fs/promises';
import { asFailure } from '../failure.ts';
import { rotatedOf, shortName } from './files.ts';
import { type Head, type HeadPlace, readHead, readKey } from './head.ts';
import type { AuditLine, Seal } from './line.ts';
import { type FoundLine, linesIn } from './lines.ts';

/** One thing that is not as it was written, and what that means or what to do. */
export interface Finding {
  readonly says: string;
  readonly means: string;
}

export interface Verified {
  readonly lines: number;
  readonly files: number;
  readonly chains: number;
  /** Lines that the head does not know of yet: that they were there could not be told if they were cut. */
  readonly ahead: number;
  /** `file:number` of what is no whole line: a write that was cut, by a full disk or a kill. No record is lost by it. */
  readonly torn: readonly string[];
  readonly findings: readonly Finding[];
  /** Findings beyond those that are told. */
  readonly more: number;
}

const MOST = 1000;
const TRIES = 10;

/**
 * Holds every line of an audit file, and of those rotated out of it, to its seal, its chain, its place and the head.
 * Rejects as node:fs does when there is no such file or it cannot be read. Processes may write meanwhile.
 */
export async function verify(place: HeadPlace): Promise<Verified> {
  for (let tries = 1; ; tries += 1) {
    const before = rotatedOf(place.audit);
    const verified = await verifyOnce(place);
    const after = rotatedOf(place.audit);
    // What was removed because of its age in between was seen by halves.
    const moved = before.map(({ file }) => file).join() !== after.map(({ file }) => file).join();
    if (verified.findings.length === 0 || !moved || tries === TRIES) return verified;
  }
}

async function verifyOnce(place: HeadPlace): Promise<Verified> {
  const found = new Found();
  const { key, head } = readSeals(place, found);
  const checker = new Checker(head, found);
  const files = await openAll(place.audit, Object.keys(head?.chains ?? {}).length > 0);
  try {
    for (const { on, file, end } of files) {
      checker.begin();
      for await (const line of linesIn(on, file, key ?? null, { end })) checker.look(line);
    }
  } finally {
    await Promise.all(files.map(({ on }) => on.close()));
  }
  checker.end();
  return { ...checker.figures(), files: files.length, findings: found.told, more: found.more };
}

class Found {
  readonly told: Finding[] = [];
  more = 0;

  add(says: string, means: string): void {
    if (this.told.length < MOST) this.told.push({ says, means });
    else this.more += 1;
  }
}

/** Read before the files are, so that they are never behind it. */
function readSeals(place: HeadPlace, found: Found): { readonly key?: Buffer; readonly head?: Head } {
  const key = readKey(place);
  if (key === undefined) {
    const means = 'Lines are held to their hashes alone, which anybody can compute. Put the key back, if you have it.';
    found.add(`The key ${place.keyFile} is not there, or is not one.`, means);
    return {};
  }
  try {
    const head = readHead(place, key);
    if (head === undefined) {
      found.add(`The head ${place.file} is not there.`, 'Whether the end of a chain was cut cannot be told.');
    } else if (head.late !== undefined) {
      const means = 'What was cut before that cannot be told. If you know why, move these files away.';
      found.add(`The head was begun anew on ${head.late}, when there were lines already.`, means);
    }
    return { key, head };
  } catch (error) {
    const { message, hint } = asFailure(error);
    found.add(message, hint);
    return { key };
  }
}

interface OpenFile {
  readonly on: FileHandle;
  readonly file: string;
  readonly ino: number;
  readonly end: number;
}

/**
 * Every file, the oldest first. The end of the newest is fixed before the others are read: a line that it holds was
 * written after all those before it in its chain. `begun`: there were lines, so that having no file is a finding.
 */
async function openAll(audit: string, begun: boolean): Promise<OpenFile[]> {
  const newest = await openedUnlessGone(audit);
  const rotated = rotatedOf(audit);
  // The head tells what is missing; or one has just rotated it, and not begun the next one yet.
  if (!newest && !begun && rotated.length === 0) await open(audit, 'r');
  const files: OpenFile[] = [];
  for (const { file } of rotated) {
    const one = await openedUnlessGone(file);
    if (one && one.ino === newest?.ino) await one.on.close();
    else if (one) files.push({ ...one, end: Number.POSITIVE_INFINITY });
  }
  return newest ? [...files, newest] : files;
}

async function openedUnlessGone(file: string): Promise<OpenFile | undefined> {
  try {
    const on = await open(file, 'r');
    const { size, ino } = await on.stat();
    return { on, file, ino, end: size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

interface Chain {
  seq: number;
  hash: string;
}

/** Takes the lines in the order in which they stand. */
class Checker {
  readonly #chains = new Map<string, Chain>();
  readonly #torn: string[] = [];
  readonly #head: Head | undefined;
  readonly #found: Found;
  #lines = 0;
  #ahead = 0;
  /** By how many bytes lines of this file were seen to stand too early. */
  #shift = 0;

  constructor(head: Head | undefined, found: Found) {
    this.#head = head;
    this.#found = found;
  }

  begin(): void {
    this.#shift = 0;
  }

  look(found: FoundLine): void {
    const { file, number, line, seal } = found;
    const where = `${shortName(file)}:${number}`;
    if (line === undefined || seal === undefined) {
      if (this.#torn.length < MOST) this.#torn.push(where);
      return;
    }
    this.#lines += 1;
    const said = `${where} (${line.tool}, ${line.kind}, call ${line.call})`;
    if (seal.wrong === 'hash') this.#found.add(`${said} was edited.`, 'Its hash is not that of its text.');
    if (seal.wrong === 'mac') {
      const means = 'Its text was changed and the hash computed anew, or the key is another one since.';
      this.#found.add(`${said} was not sealed with the key.`, means);
    }
    this.#place(found, line, said);
    this.#order(line, seal, said);
  }

  #place({ offset }: FoundLine, { at }: AuditLine, said: string): void {
    if (at - offset <= this.#shift) return;
    this.#found.add(
      `${said} stands ${at - offset - this.#shift} bytes too early.`,
      'Lines before it were removed or made shorter, or it was moved.',
    );
    this.#shift = at - offset;
  }

  #order({ chain, seq, prev }: AuditLine, seal: Seal, said: string): void {
    const head = this.#head?.chains[chain];
    const last = this.#chains.get(chain);
    if (last && seq <= last.seq) {
      this.#found.add(`${said} is there twice, or was moved: it is line ${seq} of chain ${chain}.`, ORDER);
      return;
    }
    if (last && seq > last.seq + 1) this.#missing(chain, last.seq + 1, seq - 1, `before ${said}`);
    // Of a chain that the head does not know, the beginning may have been removed because of its age.
    if (!last && head && seq > (head.gone ?? 0) + 1) {
      this.#missing(chain, (head.gone ?? 0) + 1, seq - 1, `before ${said}`);
    }
    const follows = last ? seq > last.seq + 1 || prev === last.hash : seq > 1 || prev === 'start';
    if (!follows) this.#found.add(`${said} does not follow the line before it in chain ${chain}.`, ORDER);
    if (head?.seq === seq && head.hash !== seal.hash && !seal.wrong) {
      this.#found.add(`${said} is not the line that the head knows.`, 'It was put in the place of another one.');
    }
    if (this.#head && seq > (head?.seq ?? 0)) this.#ahead += 1;
    this.#chains.set(chain, { seq, hash: seal.hash });
  }

  #missing(chain: string, from: number, to: number, where: string): void {
    const lines = from === to ? `Line ${from}` : `Lines ${from} to ${to}`;
    this.#found.add(`${lines} of chain ${chain} are missing ${where}.`.replace(/^(Line \d+ .*) are/, '$1 is'), REMOVED);
  }

  end(): void {
    for (const [chain, { seq, gone = 0 }] of Object.entries(this.#head?.chains ?? {})) {
      const last = this.#chains.get(chain);
      if (last && last.seq < seq) this.#missing(chain, last.seq + 1, seq, 'at its end');
      if (!last && gone < seq) this.#missing(chain, gone + 1, seq, 'all of it');
    }
  }

  figures(): Pick<Verified, 'lines' | 'chains' | 'ahead' | 'torn'> {
    return { lines: this.#lines, chains: this.#chains.size, ahead: this.#ahead, torn: this.#torn };
  }
}

const REMOVED = 'They were removed after they had been written; a chain is what one process wrote.';
const ORDER = 'Lines of a chain come one after the other, each naming the hash of the one before.';
