import { RemoteText } from '../present/answer.ts';
import { openSequence } from './capture.ts';
import { type OutputReader, type StreamName, streamNames } from './output.ts';

/** What is given of one stream at once. */
const MOST = 256 * 1024;

/** The output of one command, or of several, read piece by piece: each byte is given once. */
export class Unread {
  readonly #at = { stdout: 0, stderr: 0 };

  constructor(readonly output: OutputReader) {}

  /** How many bytes there are. */
  get bytes(): number {
    return streamNames.reduce((sum, name) => sum + this.output.bytes(name) - this.#at[name], 0);
  }

  /** The next bytes of both, without the beginning of a character while more is to come. */
  async take(ended: boolean): Promise<Readonly<Record<StreamName, RemoteText>>> {
    const take = async (name: StreamName) => {
      const from = this.#at[name];
      const piece = await this.output.read(name, from, MOST);
      const { bytes } = piece;
      const more = !ended || piece.from + bytes.length < this.output.bytes(name);
      const whole = more ? bytes.subarray(0, bytes.length - openSequence(bytes)) : bytes;
      this.#at[name] = piece.from + whole.length;
      const lost = piece.from - from;
      return new RemoteText(whole.toString(), { bytes: lost + whole.length, omitted: lost });
    };
    const [stdout, stderr] = await Promise.all([take('stdout'), take('stderr')]);
    return { stdout, stderr };
  }
}
