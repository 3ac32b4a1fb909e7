import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A real terminal that a program runs in, by tmux. */
export interface Terminal {
  /** All that is and was on the screen, without colours. */
  screen(): string;
  /** Waits until the text is there, below what was there at the call before; throws with the screen when it does not come. */
  expect(text: string | RegExp): Promise<void>;
  /** Types the text as it is, then the keys by tmux's names (Enter, C-c, Down). */
  type(text: string, ...keys: string[]): void;
  /** The exit code of the program, once it is over. */
  ended(): Promise<number>;
  stop(): void;
}

const PATIENCE_MS = 60_000;

/** Runs argv in a terminal of 160 by 50, with this environment alone. */
export function startTerminal(argv: readonly string[], env: Readonly<Record<string, string>>): Terminal {
  const folder = mkdtempSync(join(tmpdir(), 'psm-tmux-'));
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const quoted = argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const settings = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  // The shell around it gets a Ctrl-C as well, and has to outlive it.
  const line = `trap : INT; env -i TERM=tmux-256color LANG=C.UTF-8 ${settings.join(' ')} ${quoted}; echo "ended with $?"; exec sleep 3600`;
  tmux('new-session', '-d', '-x', '160', '-y', '50', line);
  tmux('set-option', '-g', 'history-limit', '5000');
  let seen = 0;
  const screen = (): string => tmux('capture-pane', '-p', '-J', '-S', '-').replace(/\n+$/, '\n');
  const found = async (text: string | RegExp): Promise<RegExpExecArray> => {
    const pattern =
      typeof text === 'string' ? new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'g') : new RegExp(text, 'g');
    for (const until = performance.now() + PATIENCE_MS; performance.now() < until; await wait(50)) {
      pattern.lastIndex = seen;
      const match = pattern.exec(screen());
      if (match) return match;
    }
    throw new Error(`There is no ${text} on the terminal:\n${screen()}`);
  };
  return {
    screen,
    async expect(text) {
      const match = await found(text);
      seen = match.index + match[0].length;
    },
    type(text, ...keys) {
      if (text !== '') tmux('send-keys', '-l', text);
      if (keys.length > 0) tmux('send-keys', ...keys);
    },
    ended: async () => Number((await found(/ended with (\d+)/))[1]),
    stop() {
      tmux('kill-server');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
