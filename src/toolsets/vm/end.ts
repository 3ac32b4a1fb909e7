import { endInVm, startInVm } from '../../pve/agent.ts';
import type { Pve } from '../../pve/client.ts';
import type { Guest } from '../../pve/guests.ts';
import { hunt, LOOK_SCRIPT } from '../../ssh/hunt.ts';
import type { Killed } from '../../ssh/kill.ts';

const LIMIT_MS = 4_500;
const ASK_AGAIN_MS = 30;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Ends every process of a command in a VM, as over SSH (see hunt): an agent cannot end what it started, but it can start
 * what does. Never throws; takes 4.5 s at most, and then tells what still runs, or that it could not look.
 */
export async function endProcesses(
  pve: Pve,
  vm: Guest,
  prey: { readonly cookie: string; readonly pid: number },
): Promise<Killed> {
  let seen: Killed = { state: 'unknown', pids: [] };
  let late = false;
  const hunted = hunt(
    prey,
    async (order) => (late ? undefined : look(pve, vm, order, () => late).catch(() => undefined)),
    ({ pids, by }, empty) => {
      seen = { state: empty > 1 ? 'terminated' : empty === 1 ? 'unknown' : 'still running', pids, by };
    },
  );
  await Promise.race([hunted, pause(LIMIT_MS)]);
  late = true;
  return seen;
}

/** One order for the script that looks and signals, and its answer; undefined when that is not there before it is late. */
async function look(pve: Pve, vm: Guest, order: string, late: () => boolean): Promise<string | undefined> {
  const pid = await startInVm(pve, vm, ['/bin/sh', '-c', LOOK_SCRIPT], Buffer.from(`${order}\ngo\n`));
  while (!late()) {
    const end = await endInVm(pve, vm, pid);
    if (end) return end.stdout.toString().split('\n')[0] || undefined;
    await pause(ASK_AGAIN_MS);
  }
  return undefined;
}
