import { z } from 'zod';
import { isAddress, isBridge, isGateway } from './pve/addressing.ts';
import { isPublicKey } from './pve/cloud-init.ts';

/** Every parameter that more than one tool takes, described once. */

export const guest = z
  .union([z.number().int().min(100).max(999_999_999), z.string().min(1).max(128)])
  .describe('VMID or name.');

export const vmid = z.number().int().min(100).max(999_999_999).describe('Of the container.');

export const node = z.string().min(1).max(63).describe('Node name.');

export const storage = z
  .string()
  .regex(/^[A-Za-z][\w.-]*$/, 'must be the name of a storage')
  .max(100)
  .describe('Storage name.');

export const volume = z
  .string()
  .regex(/^[A-Za-z][\w.-]*:\S+$/, 'must be STORAGE:NAME')
  .max(500)
  .describe('Volume id, such as local:iso/x.iso.');

export const backup = volume.describe('Id, as pve_backup_list gives it.');

export const target = z.string().min(1).max(255).describe('Host, node, ct/400 or vm/101; else the usual host.');

export const host = z.string().min(1).max(255).describe('Name, as ssh_host_list gives it.');

export const upid = z.string().min(1).max(512).describe('Task id (UPID:…).');

export const snapshotName = z
  .string()
  .regex(/^[A-Za-z][\w-]+$/, 'starts with a letter, then letters, digits, _ or -')
  .max(40)
  .describe('Snapshot name.');

export const limit = (most: number, usual: number) =>
  z.number().int().min(1).max(most).default(usual).describe(`Rows, up to ${most}.`);

export const apiPath = z.string().min(2).max(1000).describe('Such as /nodes/pve1/lxc/400/config, without a query.');

export const apiParams = z
  .record(
    z.string().min(1).max(100),
    z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]),
  )
  .describe('By their names in the API.');

export const diskKey = z
  .string()
  .regex(/^[a-z]+\d*$/, 'must be a key such as scsi0')
  .max(12)
  .describe('Key: scsi0, rootfs, mp0, unused0.');

export const nicKey = z
  .string()
  .regex(/^net([0-9]|[12][0-9]|3[01])$/, 'must be net0 to net31')
  .describe('Card, such as net0.');

export const script = z.string().min(1).max(1_048_576).describe('One line or many.');

export const stdin = z.string().max(4_194_304).describe('Standard input.');

export const cwd = z.string().regex(/^\//, 'must be an absolute path').max(4096).describe('Absolute directory.');

export const env = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be a shell variable name'), z.string())
  .describe('Variables to set.');

export const timeoutSeconds = z
  .number()
  .int()
  .min(1)
  .max(3600)
  .describe('Stopped after so many seconds (3600 at most).');

export const waitSeconds = z.number().int().min(0).max(600).describe('Seconds to wait, up to 600.');

export const runAs = z.string().min(1).max(64).describe('As this user.');

export const force = z.boolean().describe('Even if it seems to wait for a keyboard.');

export const jobAfterSeconds = z
  .number()
  .int()
  .min(0)
  .max(3600)
  .describe('Seconds until it goes on as a job. Default with timeout_s: never.');

export const detach = z.boolean().describe('As a job that outlives this server.');

export const job = z.string().min(8).max(400).describe('Job id.');

/** What every tool that runs a command takes besides the place. */
export const command = {
  script,
  stdin: stdin.optional(),
  cwd: cwd.optional(),
  env: env.optional(),
  user: runAs.optional(),
  timeout_s: timeoutSeconds.optional(),
  wait_s: jobAfterSeconds.optional(),
  detach: detach.optional(),
  force: force.optional(),
};

/** What the tools that make a guest have in common. */
export const newVmid = z.number().int().min(100).max(999_999_999).describe('Else the next free.');

export const hostName = z
  .string()
  .regex(/^[A-Za-z0-9]+([.-][A-Za-z0-9]+)*$/, 'must be a host name')
  .max(63)
  .describe('Host name.');

export const onNode = z.string().max(63).describe('Else chosen.');

export const onStorage = z.string().max(100).describe('For its disks; else the one with most space.');

export const sshKeys = z
  .array(
    z
      .string()
      .regex(/^(ssh|ecdsa|sk)-\S+ \S/)
      .refine(isPublicKey, 'must be a public key'),
  )
  .min(1)
  .max(20)
  .describe('Public keys.');

export const makePassword = z.boolean().describe('Make one, kept in a local file. Default: without ssh_keys.');

export const ip = z
  .string()
  .refine(isAddress, 'must be dhcp or an address with its prefix')
  .describe('dhcp or 192.168.2.50/24.');

export const gateway = z.string().refine(isGateway, 'must be an IP address').describe('For a static ip.');

export const bridge = z.string().refine(isBridge, 'must be a bridge').describe('Bridge or VNet.');

export const vlan = z.number().int().min(1).max(4094).describe('VLAN tag.');

export const cores = z.number().int().min(1).max(512).describe('CPU cores.');

export const memoryMib = z.number().int().min(16).max(16_777_216).describe('Memory.');

export const diskGib = z.number().int().min(1).max(131_072).describe('Disk size.');

export const tags = z
  .array(z.string().regex(/^\w[\w+.-]*$/, 'must be a tag'))
  .max(50)
  .describe('Tags.');

export const onBoot = z.boolean().describe('Start with the node.');

export const user = z
  .string()
  .regex(/^[a-z_][a-z0-9_-]*$/, 'must be a user name')
  .max(32)
  .describe('Login that cloud-init makes.');

export const startIt = z.boolean().describe('Start it, and wait for its address.');

/** What the tools that read and write files have in common. A refinement, unlike a pattern, costs a model nothing. */
const like = (pattern: RegExp, says: string) => z.string().refine((text) => pattern.test(text), says);

export const remotePath = like(/^(\/|~\/)[^\0]*$/, 'must be absolute, or begin with ~/')
  .max(4096)
  .describe('Absolute, or ~/….');

export const asRoot = z.boolean().describe('As root.');

export const overwrite = z.boolean().describe('Replace what is there.');

const expectedSha256 = like(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex').describe('Replace only this.');

const makeFolders = z.boolean().describe('Make missing folders.');

const fileMode = like(/^[0-7]{3,4}$/, 'must be an octal mode').describe('Octal.');

const fileOwner = like(/^[A-Za-z0-9_][\w.-]{0,63}(:[A-Za-z0-9_][\w.-]{0,63})?$/, 'must be user or user:group').describe(
  'user:group.',
);

/** What every tool takes that gives a file of a host new content. */
export const newContent = {
  expected_sha256: expectedSha256.optional(),
  overwrite: overwrite.optional(),
  mode: fileMode.optional(),
  owner: fileOwner.optional(),
  make_folders: makeFolders.optional(),
  sudo: asRoot.optional(),
  user: runAs.optional(),
};

export const localFile = z.string().min(1).max(4096).describe('In the transfer folder.');

export const session = z.string().min(1).max(40).describe('Id or name of the session.');
