import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/*
 * Records the demo as docs/demo.svg: its own lines, as they come, in a window that scrolls. An SVG can be read, searched
 * and diffed, and needs no player. Run it anew (npm run recording) when the demo says something else.
 */

const root = join(import.meta.dirname, '..');
const COLUMNS = 80;
const ROWS = 32;
const LINE = 18;
const CHARACTER = 8.4;
const MARGIN = 16;
/** A pause is shown up to so long. */
const LONGEST_PAUSE_S = 1.6;
const LAST_PAUSE_S = 6;

interface Line {
  readonly text: string;
  /** Seconds from the start of the recording. */
  readonly at: number;
}

/** The lines of the demo with the time at which each came, its pauses cut short. */
async function record(): Promise<Line[]> {
  const child = spawn(process.execPath, [join(root, 'bin/proxmox-ssh-mcp.js'), 'demo'], {
    env: { PATH: process.env.PATH, HOME: homedir() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [{ text: '$ bash bin/demo.sh', at: 0 }];
  let last = performance.now();
  for await (const text of createInterface({ input: child.stdout })) {
    // What follows names the folder of this clone.
    if (text.startsWith('To try it by hand')) break;
    const now = performance.now();
    const pause = Math.min(LONGEST_PAUSE_S, (now - last) / 1000);
    // A reader needs time for a question of the operator.
    const reading = /^\d\/\d {2}/.test(text) ? 1.2 : 0.05;
    lines.push({ text, at: (lines.at(-1)?.at ?? 0) + Math.max(pause, reading) });
    last = now;
  }
  child.kill();
  return lines;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** How a line is shown: what the operator says, the call, what the server asks, the answer. */
function classOf(text: string): string {
  if (/^(\$|\d\/\d {2})/.test(text)) return 'said';
  if (/^ {2}(pve|ssh|pct)_/.test(text) && !/ m?s$/.test(text)) return 'call';
  return /the server asks|the demo answers/.test(text) ? 'asked' : 'told';
}

/** A stepwise animation: at each line's time, the value that belongs to it. */
function steps(name: string, lines: readonly Line[], whole: number, value: (index: number) => number): string {
  const frames = lines.map(({ at }, i) => `${((100 * at) / whole).toFixed(2)}%{transform:translateY(${value(i)}px)}`);
  return `@keyframes ${name}{${frames.join('')}100%{transform:translateY(${value(lines.length - 1)}px)}}`;
}

function svg(lines: readonly Line[]): string {
  const whole = (lines.at(-1)?.at ?? 0) + LAST_PAUSE_S;
  const [width, height] = [Math.ceil(COLUMNS * CHARACTER) + 2 * MARGIN, ROWS * LINE + 2 * MARGIN];
  const texts = lines.map(({ text }, i) => {
    const y = (i + 1) * LINE - 5;
    return text === '' ? '' : `<text class="${classOf(text)}" y="${y}" xml:space="preserve">${escaped(text)}</text>`;
  });
  const end = Math.max(0, lines.length - ROWS) * LINE;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" role="img">
<title>The demo of proxmox-ssh-mcp in a terminal</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#c9d1d9}
.said{fill:#fff;font-weight:bold}.call{fill:#7ee787}.asked{fill:#ffa657}
.lines{animation:scroll ${whole.toFixed(1)}s step-end infinite}.cover{animation:cover ${whole.toFixed(1)}s step-end infinite}
${steps('scroll', lines, whole, (i) => -Math.max(0, i + 1 - ROWS) * LINE)}
${steps('cover', lines, whole, (i) => (i + 1) * LINE)}
@media (prefers-reduced-motion:reduce){.lines{animation:none;transform:translateY(-${end}px)}.cover{display:none}}
</style>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
<clipPath id="window"><rect width="${width - 2 * MARGIN}" height="${ROWS * LINE}"/></clipPath>
<g transform="translate(${MARGIN} ${MARGIN})" clip-path="url(#window)">
<g class="lines">
${texts.filter((text) => text !== '').join('\n')}
<rect class="cover" width="100%" height="${(lines.length + ROWS) * LINE}" fill="#0d1117"/>
</g>
</g>
</svg>
`;
}

writeFileSync(join(root, 'docs/demo.svg'), svg(await record()));
