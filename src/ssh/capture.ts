import { RemoteText } from '../present/answer.ts';

const HEAD = 1024 * 1024;
const TAIL = 1024 * 1024;

/** A stream of so many bytes is kept whole. */
export const WHOLE = HEAD + TAIL;

/** Keeps the first and the last MiB of a stream, in memory that does not grow with it. */
export class Capture {
  #head = Buffer.alloc(0);
  #headLength = 0;
  #ring: Buffer | undefined;
  #bytes = 0;

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const room = Math.min(HEAD - this.#headLength, chunk.length);
    if (room > 0) this.#addToHead(chunk.subarray(0, room));
    if (room < chunk.length) this.#addToTail(chunk.subarray(room));
  }

  /** How many bytes came. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Every byte so far, or undefined when some are missing. */
  whole(): Buffer | undefined {
    return this.#bytes <= WHOLE ? Buffer.concat([this.#head.subarray(0, this.#headLength), this.#tail()]) : undefined;
  }

  /** Bytes from an offset on, at most so many; undefined when the first of them is no longer kept. */
  slice(from: number, most: number): Buffer | undefined {
    if (from < this.#headLength) {
      return Buffer.from(this.#head.subarray(from, Math.min(this.#headLength, from + most)));
    }
    const tail = this.#tail();
    const start = from - (this.#bytes - tail.length);
    return start < 0 ? undefined : Buffer.from(tail.subarray(start, start + most));
  }

  /** The text so far; where bytes are missing, a line between head and tail says how many. */
  text(): RemoteText {
    const head = this.#head.subarray(0, this.#headLength);
    const tail = this.#tail();
    const missing = this.#bytes - head.length - tail.length;
    if (missing === 0)
      return new RemoteText(Buffer.concat([head, tail]).toString(), { bytes: this.#bytes, omitted: 0 });
    const start = head.subarray(0, head.length - openSequence(head));
    const end = tail.subarray(strayBytes(tail));
    const omitted = this.#bytes - start.length - end.length;
    const text = `${start}\n[… ${omitted} bytes left out …]\n${end}`;
    return new RemoteText(text, { bytes: this.#bytes, omitted });
  }

  #addToHead(bytes: Buffer): void {
    const length = this.#headLength + bytes.length;
    if (length > this.#head.length) {
      const grown = Buffer.allocUnsafe(Math.min(HEAD, Math.max(length, 2 * this.#head.length, 4096)));
      this.#head.copy(grown, 0, 0, this.#headLength);
      this.#head = grown;
    }
    // Copied, because a chunk may be a slice of a far larger buffer that it would keep alive.
    bytes.copy(this.#head, this.#headLength);
    this.#headLength = length;
  }

  #addToTail(bytes: Buffer): void {
    this.#ring ??= Buffer.allocUnsafe(TAIL);
    const kept = bytes.subarray(Math.max(0, bytes.length - TAIL));
    const at = (this.#bytes - HEAD - kept.length) % TAIL;
    const first = kept.subarray(0, TAIL - at);
    first.copy(this.#ring, at);
    kept.copy(this.#ring, 0, first.length);
  }

  #tail(): Buffer {
    const beyond = this.#bytes - this.#headLength;
    if (!this.#ring || beyond <= TAIL) return (this.#ring ?? Buffer.alloc(0)).subarray(0, beyond);
    const at = beyond % TAIL;
    return Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]);
  }
}

/** How many bytes at the end begin a UTF-8 sequence that is not finished: 0 to 3. */
export function openSequence(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** How many bytes at the start continue a UTF-8 sequence whose beginning is missing: 0 to 3. */
function strayBytes(bytes: Buffer): number {
  let count = 0;
  while (count < 3 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count++;
  return count;
}
