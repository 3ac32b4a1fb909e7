import { type OutputReader, type StreamName, streamNames } from './output.ts';

/** What is looked at of one stream at once. */
const MOST = 24_000;

/** The output of one command, or of several, that is read piece by piece. */
export class Unread {
  /** How far it was read. */
  at: Readonly<Record<StreamName, number>> = { stdout: 0, stderr: 0 };

  constructor(readonly output: OutputReader) {}

  /** How many bytes there are. */
  get bytes(): number {
    return streamNames.reduce((sum, name) => sum + this.output.bytes(name) - this.at[name], 0);
  }

  /** The next bytes of each stream; `from` is later than `at` when those before are gone, `left` what is behind them. */
  async peek() {
    const of = async (name: StreamName) => {
      const { from, bytes } = await this.output.read(name, this.at[name], MOST);
      return { from, bytes, left: this.output.bytes(name) - from - bytes.length };
    };
    const [stdout, stderr] = [await of('stdout'), await of('stderr')];
    return { stdout, stderr };
  }
}
