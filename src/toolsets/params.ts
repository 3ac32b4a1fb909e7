import { z } from 'zod';

/** Every parameter that more than one tool takes, described once. */

export const guest = z
  .union([z.number().int().min(100).max(999_999_999), z.string().min(1).max(128)])
  .describe('VMID (400) or name (keycloak). The node is looked up.');

export const vmid = z.number().int().min(100).max(999_999_999).describe('VMID of the container.');

export const node = z.string().min(1).max(63).describe('Node name, as pve_overview lists it.');

export const target = z
  .string()
  .min(1)
  .max(255)
  .describe('Where to run: a host or node by name (pve1), a container (ct/400), a VM (vm/101).');

export const upid = z
  .string()
  .min(1)
  .max(512)
  .describe('Task id (UPID:node:…:), as a change or pve_task_list gives it.');

export const snapshotName = z
  .string()
  .regex(/^[A-Za-z][\w-]+$/, 'starts with a letter, then letters, digits, _ or -')
  .max(40)
  .describe('Snapshot name.');

export const limit = z.number().int().min(1).max(500).describe('At most this many rows.');

export const script = z.string().min(1).max(1_048_576).describe('Shell command or script, one line or many.');

export const stdin = z.string().max(4_194_304).describe('Text given to the command on standard input.');

export const cwd = z
  .string()
  .regex(/^\//, 'must be an absolute path')
  .max(4096)
  .describe('Absolute directory to run in.');

export const env = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a shell variable name'), z.string())
  .describe('Environment variables to set for the command.');

export const timeoutSeconds = z
  .number()
  .int()
  .min(1)
  .max(3600)
  .describe('Stop the command, and every process of it, after this many seconds.');

export const waitSeconds = z
  .number()
  .int()
  .min(0)
  .max(600)
  .describe('Wait at most this many seconds for the task to end; 0 hands back its id at once. Default: as configured.');

/** What every tool that runs a command takes besides the place. */
export const command = {
  script,
  stdin: stdin.optional(),
  cwd: cwd.optional(),
  env: env.optional(),
  timeout_s: timeoutSeconds.optional(),
};
