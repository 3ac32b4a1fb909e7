import type { Service } from '../../world.ts';
import type { Process, Program } from '../proc.ts';
import { ofUnit, shortLine } from './journalctl.ts';

/** `systemctl status|start|stop|restart|reload|is-active|is-enabled|show|list-units`. */
export const systemctl: Program = (args, proc) => {
  if (args.includes('--version')) {
    proc.out('systemd 257 (257.9-1~deb13u1)\n');
    return 0;
  }
  const [verb = 'list-units', ...names] = args.filter((arg) => !arg.startsWith('-'));
  const units = names.map((name) => name.replace(/\.service$/, ''));
  const services = proc.machine.services.filter(({ unitState }) => unitState !== 'not-found');
  const known = (name: string) => services.find((service) => service.name === name);
  if (verb === 'list-units' || verb === 'list-unit-files') return list(services, proc, args);
  const act = verbs[verb];
  if (!act) {
    proc.err(`Unknown command verb '${verb}'.\n`);
    return 1;
  }
  return units.map((name) => act(name, known(name), proc, args)).reduce((worst, code) => Math.max(worst, code), 0);
};

type Verb = (name: string, service: Service | undefined, proc: Process, args: readonly string[]) => number;

const active = (service: Service | undefined): string =>
  service?.state === 'running' ? 'active' : service?.state === 'failed' ? 'failed' : 'inactive';

const change =
  (verb: 'start' | 'stop' | 'restart' | 'reload'): Verb =>
  (name, service, { machine, err }) => {
    if (!service) {
      err(`Failed to ${verb} ${name}.service: Unit ${name}.service not found.\n`);
      return 5;
    }
    machine.world.changeUnit(machine, name, verb);
    return 0;
  };

const verbs: Readonly<Record<string, Verb>> = {
  start: change('start'),
  stop: change('stop'),
  restart: change('restart'),
  reload: change('reload'),
  status,
  'is-active': (_name, service, { out }) => {
    out(`${active(service)}\n`);
    return active(service) === 'active' ? 0 : 3;
  },
  'is-enabled': (name, service, { out, err }) => {
    if (service) out(`${service.unitState}\n`);
    else err(`Failed to get unit file state for ${name}.service: No such file or directory\n`);
    return service?.unitState === 'enabled' || service?.unitState === 'static' ? 0 : 1;
  },
  show: (name, service, { out }, args) => {
    const all = {
      Id: `${name}.service`,
      Description: service?.description ?? `${name}.service`,
      LoadState: service ? 'loaded' : 'not-found',
      ActiveState: active(service),
      SubState: service?.state ?? 'dead',
      UnitFileState: service?.unitState ?? '',
      MainPID: String(service?.state === 'running' ? service.pid : 0),
    };
    const wanted = args
      .flatMap((arg, i) => (arg === '-p' ? (args[i + 1] ?? '') : (/^(?:-p|--property=)(.+)$/.exec(arg)?.[1] ?? '')))
      .join(',');
    const rows = Object.entries(all).filter(
      ([key]) => wanted.replaceAll(',', '') === '' || wanted.split(',').includes(key),
    );
    out(rows.map(([key, value]) => (args.includes('--value') ? `${value}\n` : `${key}=${value}\n`)).join(''));
    return 0;
  },
};

function status(name: string, service: Service | undefined, { machine, out, err }: Process): number {
  if (!service) {
    err(`Unit ${name}.service could not be found.\n`);
    return 4;
  }
  const runs = service.state === 'running';
  const { startedAt, pid, unitState } = service;
  const since = `${new Date(startedAt).toUTCString().slice(0, 3)} ${new Date(startedAt).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  out(`${runs ? '●' : service.state === 'failed' ? '×' : '○'} ${name}.service - ${service.description}\n`);
  out(`     Loaded: loaded (/usr/lib/systemd/system/${name}.service; ${unitState}; preset: enabled)\n`);
  out(
    runs
      ? `     Active: active (running) since ${since}; ${ago(machine.world.now() - startedAt)} ago\n`
      : `     Active: ${active(service)} (${service.state})\n`,
  );
  if (runs)
    out(
      `   Main PID: ${pid} (${name})\n     CGroup: /system.slice/${name}.service\n             └─${pid} /usr/bin/${name}\n`,
    );
  const lines = ofUnit(machine, name).slice(-10);
  if (lines.length > 0) out(`\n${lines.map((line) => `${shortLine(machine, line)}\n`).join('')}`);
  return runs ? 0 : 3;
}

function ago(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}min ${seconds % 60}s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}min`;
  return `${Math.floor(seconds / 86_400)} days`;
}

function list(services: readonly Service[], { out }: Process, args: readonly string[]): number {
  const state =
    args.map((arg) => /^--state=(\w+)$/.exec(arg)?.[1]).find(Boolean) ??
    (args.includes('--failed') ? 'failed' : undefined);
  const rows = services.filter(
    (service) => state === undefined || service.state === state || active(service) === state,
  );
  const width = Math.max(4, ...rows.map(({ name }) => name.length + 8));
  const row = (...[unit, load, is, sub, description]: readonly string[]) =>
    `  ${unit?.padEnd(width)} ${load?.padEnd(6)} ${is?.padEnd(8)} ${sub?.padEnd(7)} ${description}\n`;
  if (!args.includes('--no-legend')) out(row('UNIT', 'LOAD', 'ACTIVE', 'SUB', 'DESCRIPTION'));
  out(rows.map((s) => row(`${s.name}.service`, 'loaded', active(s), s.state, s.description)).join(''));
  if (!args.includes('--no-legend')) out(`\n${rows.length} loaded units listed.\n`);
  return 0;
}
