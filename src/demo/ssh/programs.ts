import type { Interpreter } from './interpreter.ts';
import type { Machine, Machines } from './machine.ts';
import type { Program } from './proc.ts';
import { accounts } from './programs/accounts.ts';
import { docker } from './programs/docker.ts';
import { filePrograms } from './programs/files.ts';
import { journalctl } from './programs/journalctl.ts';
import { launchers } from './programs/launchers.ts';
import { pct } from './programs/pct.ts';
import { processPrograms } from './programs/processes.ts';
import { pvesh, pveversion, qm } from './programs/pve.ts';
import { systemPrograms } from './programs/system.ts';
import { systemctl } from './programs/systemctl.ts';
import { tr } from './programs/tr.ts';
import { zpool } from './programs/zpool.ts';

/** What programs need beyond their process: to start others, and to find other machines. */
export interface Installation {
  readonly interpreter: Interpreter;
  readonly machines: Machines;
}

/** The programs that are installed on a machine: Proxmox VE's on nodes, Docker where it has containers. */
export function programsOf(machine: Machine, installation: () => Installation): ReadonlyMap<string, Program> {
  const everywhere = {
    ...launchers(installation),
    ...accounts(installation),
    ...systemPrograms,
    ...processPrograms,
    ...filePrograms,
    systemctl,
    journalctl,
    tr,
  };
  const here = machine.guest
    ? { ...everywhere, ...(machine.guest.docker.length > 0 ? { docker: docker(machine.guest) } : {}) }
    : { ...everywhere, pct: pct(installation), qm, pvesh, pveversion, zpool };
  return new Map<string, Program>(Object.entries(here));
}
