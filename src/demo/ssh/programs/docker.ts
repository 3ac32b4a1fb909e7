import type { DockerContainer, Guest } from '../../world.ts';
import { type Process, type Program, wait } from '../proc.ts';

/** `docker ps`, `logs`, `start`, `stop`, `restart`, `inspect` and `version` inside a container that has Docker. */
export function docker(guest: Guest): Program {
  /** When a container was last started by hand, in epoch milliseconds. */
  const started = new Map<string, number>();
  const since = ({ id }: DockerContainer) => Math.max(started.get(id) ?? 0, guest.startedAt);
  return async (args, proc) => {
    const [verb = '', ...rest] = args[0] === 'container' ? args.slice(1) : args;
    if (verb === 'ps' || verb === 'ls') return ps(guest.docker, rest, since, proc);
    if (verb === 'logs') return logs(guest, rest, since, proc);
    if (verb === 'start' || verb === 'stop' || verb === 'restart') return change(guest, verb, rest, started, proc);
    proc.err(`docker: unknown command: docker ${verb}\n\nRun 'docker --help' for more information\n`);
    return 1;
  };
}

const statusOf = ({ enabled }: DockerContainer, since: number, now: number): string =>
  enabled ? `Up ${span(now - since)}` : `Exited (0) ${span(now - since)} ago`;

/** How Docker words a duration of `ms` (docker/go-units, HumanDuration). */
function span(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'Less than a second';
  if (seconds < 60) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return minutes === 1 ? 'About a minute' : `${minutes} minutes`;
  const hours = Math.round(minutes / 60);
  if (hours < 48) return hours === 1 ? 'About an hour' : `${hours} hours`;
  return `${Math.floor(hours / 24)} days`;
}

function ps(
  all: readonly DockerContainer[],
  options: readonly string[],
  since: (c: DockerContainer) => number,
  { machine, out }: Process,
): number {
  const now = machine.world.now();
  const name = options.map((option) => /^(?:--filter=)?name=\^?\/?([\w.-]+)\$?$/.exec(option)?.[1]).find(Boolean) ?? '';
  const hidden = !options.some((option) => option === '--all' || /^-\w*a/.test(option));
  const rows = all
    .filter((container) => (container.enabled || !hidden) && container.name.includes(name))
    .map((container) => ({
      ID: container.id,
      Image: container.image,
      Command: `"${container.command.slice(0, 20)}${container.command.length > 20 ? '…' : ''}"`,
      CreatedAt: '5 weeks ago',
      Status: statusOf(container, since(container), now),
      Ports: container.enabled ? container.ports : '',
      Names: container.name,
      State: container.enabled ? 'running' : 'exited',
    }));
  const format = options
    .map((option, i) => (option === '--format' ? options[i + 1] : /^--format=(.*)$/.exec(option)?.[1]))
    .find(Boolean);
  if (options.some((option) => /^(--quiet|-\w*q\w*)$/.test(option))) out(rows.map(({ ID }) => `${ID}\n`).join(''));
  else if (format === 'json' || format === '{{json .}}') out(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  else if (format) out(rows.map((row) => `${filled(format, row)}\n`).join(''));
  else table(rows, out);
  return 0;
}

const filled = (format: string, row: Readonly<Record<string, string>>): string =>
  format
    .replace(/^table /, '')
    .replaceAll('\\t', '\t')
    .replace(/\{\{\s*\.(\w+)\s*\}\}/g, (_all, key: string) => row[key] ?? '<no value>');

function table(rows: readonly Readonly<Record<string, string>>[], out: Process['out']): void {
  const columns = {
    ID: 'CONTAINER ID',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED',
    Status: 'STATUS',
    Ports: 'PORTS',
    Names: 'NAMES',
  };
  const lines = [columns, ...rows].map((row: Readonly<Record<string, string>>) =>
    Object.keys(columns).map((key) => row[key] ?? ''),
  );
  const widths = Object.keys(columns).map((_key, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  out(
    lines
      .map(
        (line) =>
          `${line.map((cell, i) => (i < line.length - 1 ? cell.padEnd((widths[i] ?? 0) + 3) : cell)).join('')}\n`,
      )
      .join(''),
  );
}

const unknown = (name: string, { err }: Process): number => {
  err(`Error response from daemon: No such container: ${name}\n`);
  return 1;
};

const find = (guest: Guest, name: string | undefined): DockerContainer | undefined =>
  guest.docker.find((container) => container.name === name || (name !== undefined && container.id.startsWith(name)));

async function logs(
  guest: Guest,
  options: readonly string[],
  since: (c: DockerContainer) => number,
  proc: Process,
): Promise<number> {
  const name = options
    .filter((option, i) => !option.startsWith('-') && !/^(-n|--tail|--since)$/.test(options[i - 1] ?? ''))
    .at(-1);
  const container = find(guest, name);
  if (!container) return unknown(name ?? '', proc);
  const at = options.findIndex((option) => option === '-n' || option.startsWith('--tail'));
  const count = Number(/=(\d+)$/.exec(options[at] ?? '')?.[1] ?? options[at + 1]);
  const stamp = (i: number) => new Date(since(container) + i * 20).toISOString().replace('T', ' ').slice(0, 19);
  const lines = container.log.map((line, i) => `${stamp(i)},000 INFO  [io.quarkus] (main) ${line}\n`);
  proc.out(lines.slice(at === -1 || Number.isNaN(count) ? 0 : -count).join(''));
  if (options.some((option) => option === '--follow' || /^-\w*f/.test(option)))
    await wait(Number.POSITIVE_INFINITY, proc);
  return 0;
}

async function change(
  guest: Guest,
  verb: 'start' | 'stop' | 'restart',
  options: readonly string[],
  started: Map<string, number>,
  proc: Process,
): Promise<number> {
  const names = options.filter((option) => !option.startsWith('-'));
  let code = 0;
  for (const name of names) {
    const container = find(guest, name);
    if (!container) {
      code = unknown(name, proc);
      continue;
    }
    if (verb !== 'start') await wait(400, proc);
    if (proc.signal.aborted) return 1;
    container.enabled = verb !== 'stop';
    started.set(container.id, proc.machine.world.now());
    proc.out(`${name}\n`);
  }
  return code;
}
