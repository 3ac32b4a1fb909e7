import { ApiError } from '../../api/errors.ts';
import { writeConfig } from '../../api/handlers/config.ts';
import { type Rule, servedMethods } from '../../api/rules/parse.ts';
import { type Params, verify } from '../../api/verify.ts';
import { type Guest, Refusal } from '../../world.ts';
import type { Process } from '../proc.ts';

type Rules = Readonly<Record<string, Rule>>;

/** The options of `set` are the parameters of PUT config (pve-container, PVE/CLI/pct.pm; qemu-server, PVE/CLI/qm.pm). */
function rulesOf(kind: Guest['kind']): Rules {
  const path = `/nodes/{node}/${kind}/{vmid}/config`;
  return servedMethods().find((one) => one.method === 'PUT' && one.path === path)?.params ?? {};
}

/** `--key value`, `--key=value` and `-key value`. */
function optionsOf(words: readonly string[]): Record<string, string> {
  const options: Record<string, string> = {};
  for (let i = 0; i < words.length; i++) {
    const [, key = '', value] = /^--?([\w-]+)(?:=(.*))?$/s.exec(words[i] ?? '') ?? [];
    options[key] = value ?? words[++i] ?? '';
  }
  return options;
}

function complain({ err }: Process, errors: Readonly<Record<string, string>>): number {
  err('400 Parameter verification failed.\n');
  for (const [name, why] of Object.entries(errors)) err(`${name}: ${why.trimEnd()}\n`);
  return 255;
}

/** `pct set` and `qm set`: what PUT config does, asked by root@pam. */
export function set(guest: Guest, words: readonly string[], proc: Process): number {
  const rules = rulesOf(guest.kind);
  const options = optionsOf(words);
  const verified = verify({ node: guest.node, vmid: String(guest.vmid), ...options }, rules);
  if ('errors' in verified) return complain(proc, verified.errors);
  if (Object.keys(options).length === 0) {
    proc.err('no options specified\n');
    return 255;
  }
  const shown = Object.entries(options).filter(([key]) => key !== 'digest' && key !== 'delete');
  if (guest.kind === 'qemu')
    proc.out(`update VM ${guest.vmid}: ${shown.map((pair) => `-${pair.join(' ')}`).join(' ')}\n`);
  return written(guest, verified.params, rules, proc);
}

function written(guest: Guest, params: Params, rules: Rules, proc: Process): number {
  try {
    writeConfig(proc.machine.world, guest, params, rules);
    return 0;
  } catch (error) {
    if (error instanceof ApiError) return complain(proc, error.errors ?? {});
    if (!(error instanceof Refusal)) throw error;
    proc.err(`${error.message}\n`);
    return 255;
  }
}

/** `pct unlock` and `qm unlock`: whatever holds the lock. */
export function unlock(guest: Guest): number {
  guest.lock = undefined;
  return 0;
}
