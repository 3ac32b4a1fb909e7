import { remote } from '../../present/answer.ts';
import { count, duration } from '../format.ts';
import { linesOf, type Parts, partOf, type Seen } from './metrics-seen.ts';

const SENSORS_SHOWN = 12;
const UNITS_SHOWN = 50;
/** Degrees below the critical temperature that are near it. */
const NEAR = 5;
/** What is beyond is no temperature: chips without a limit tell one of thousands of degrees. */
const HOTTEST = 150;
/** Seconds between our clock and another one that make logs and certificates disagree. */
const SKEW = 5;

interface Sensor {
  readonly name: string;
  readonly degrees: number;
  readonly critical?: number;
}

/** Values of /sys by folder and file name. */
function foldersOf(lines: readonly string[]): Map<string, Map<string, string>> {
  const folders = new Map<string, Map<string, string>>();
  for (const line of lines) {
    const [, folder = '', file = '', value = ''] = /^(\/sys\/[^:]*)\/([^/:]+):(.*)$/.exec(line) ?? [];
    folders.set(folder, (folders.get(folder) ?? new Map<string, string>()).set(file, value));
  }
  return folders;
}

/** Degrees Celsius of thousandths (Linux, Documentation/hwmon/sysfs-interface.rst). */
function degreesOf(value: string | undefined): number | undefined {
  const degrees = /^-?\d+$/.test(value ?? '') ? Number(value) / 1000 : Number.NaN;
  return Math.abs(degrees) < HOTTEST ? degrees : undefined;
}

function sensorsIn(files: ReadonlyMap<string, string>): Sensor[] {
  const chip = files.get('name') ?? files.get('type') ?? 'sensor';
  const trip = [...files].find(([, value]) => value === 'critical')?.[0].replace(/_type$/, '_temp');
  const limit = (file: string | undefined) => {
    const degrees = degreesOf(files.get(file ?? ''));
    return degrees !== undefined && degrees > 0 ? degrees : undefined;
  };
  return [...files].flatMap(([file, value]) => {
    const [, number] = /^temp(?:(\d+)_input)?$/.exec(file) ?? [];
    const degrees = file === 'temp' || number !== undefined ? degreesOf(value) : undefined;
    if (degrees === undefined) return [];
    const label = number === undefined ? undefined : files.get(`temp${number}_label`);
    const critical = limit(number === undefined ? trip : `temp${number}_crit`);
    return [{ name: label === undefined ? chip : `${chip} ${label}`, degrees, critical }];
  });
}

/** Temperatures, the hottest first. */
export function sensorsSeen(parts: Parts): Seen {
  const sensors = [...foldersOf(linesOf(parts, 'sensors')).values()]
    .flatMap(sensorsIn)
    .sort((a, b) => b.degrees - a.degrees);
  const rows = sensors.map(({ name, degrees, critical }) => {
    return `${name}: ${degrees.toFixed(0)} °C${critical === undefined ? '' : ` (critical: ${critical.toFixed(0)})`}`;
  });
  const hot = sensors.filter(({ degrees, critical }) => critical !== undefined && degrees >= critical - NEAR);
  return {
    facts: {
      temperatures: rows.length > 0 ? remote(rows.slice(0, SENSORS_SHOWN).join('\n')) : undefined,
      temperatures_not_shown: Math.max(0, rows.length - SENSORS_SHOWN) || undefined,
    },
    attention: hot.slice(0, SENSORS_SHOWN).map(({ name, degrees, critical = 0 }) => {
      return remote(`${name} is at ${degrees.toFixed(0)} °C; critical is ${critical.toFixed(0)} °C.`);
    }),
  };
}

/** systemd units that failed, and kills for want of memory since the start (in a container: its own). */
export function failuresSeen(parts: Parts): Seen {
  const units = linesOf(parts, 'units').map((line) => line.trim().split(/\s+/)[0] ?? '');
  const kills = Number(/^oom_kill (\d+)$/m.exec(partOf(parts, 'oom'))?.[1] ?? 0);
  return {
    facts: {
      failed_units: units.length > 0 ? remote(units.slice(0, UNITS_SHOWN).join('\n')) : undefined,
      killed_for_memory: kills || undefined,
    },
    attention: [
      ...(units.length > 0 ? [`${count(units.length, 'systemd unit')} failed.`] : []),
      ...(kills > 0
        ? [`The kernel killed ${kills === 1 ? '1 process' : `${kills} processes`} for want of memory since the start.`]
        : []),
    ],
  };
}

/**
 * How far its clock is off ours, of which the reading was at some time from `before` to `after`, in seconds since 1970.
 * It tells whole seconds, so less than about two of them cannot be seen.
 */
export function clockSeen(parts: Parts, before: number, after: number): Seen {
  const told = Number.parseInt(partOf(parts, 'clock'), 10);
  const ahead = told - after;
  const behind = before - (told + 1);
  const off = Math.floor(Math.max(ahead, behind, 0));
  if (!(off > 0)) return { facts: {}, attention: [] };
  const words = `${duration(off)} ${ahead > 0 ? 'ahead of' : 'behind'} ours`;
  return { facts: { clock: words }, attention: off >= SKEW ? [`Its clock is ${words}.`] : [] };
}
