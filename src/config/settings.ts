import type { z } from 'zod';
import type { Setting } from './setting.ts';
import { proxmoxSettings } from './settings-proxmox.ts';
import { webhookSettings } from './settings-webhook.ts';
import { file, fileOrNone, host, listOf, loginName, oneOf, secret, vmids, wholeNumber, yesNo } from './values.ts';

/** Every setting there is, in the order in which the documents show them. */
export const table = {
  ...proxmoxSettings,
  sshHost: {
    ...host,
    env: 'SSH_HOST',
    group: 'ssh',
    otherwise: 'the first host of `PROXMOX_HOST`',
    says: 'Name, address or ~/.ssh/config alias of the main host.',
    example: 'pve.example.com',
  },
  sshPort: {
    ...wholeNumber(1, 65535),
    env: 'SSH_PORT',
    group: 'ssh',
    initial: '22',
    says: 'SSH port of the main host and of the nodes of its cluster.',
    example: '22',
  },
  sshUser: {
    ...loginName,
    env: 'SSH_USER',
    group: 'ssh',
    initial: 'root',
    says: 'Login name.',
    example: 'root',
  },
  sshKeyPath: {
    ...file,
    env: 'SSH_KEY_PATH',
    group: 'ssh',
    otherwise: 'the first there is of `~/.ssh/proxmox_mcp`, `id_ed25519`, `id_ecdsa`, `id_rsa`',
    says: 'Private key to log in with.',
    example: '~/.ssh/proxmox_mcp',
  },
  sshKeyPassphrase: {
    ...secret,
    env: 'SSH_KEY_PASSPHRASE',
    group: 'ssh',
    secret: true,
    says: 'Passphrase of that key.',
    example: "'correct horse'",
  },
  sshPassword: {
    ...secret,
    env: 'SSH_PASSWORD',
    group: 'ssh',
    secret: true,
    says: 'Login password, for the main host and the nodes of its cluster only; a key is better.',
    example: "'…'",
  },
  sshSudoPassword: {
    ...secret,
    env: 'SSH_SUDO_PASSWORD',
    group: 'ssh',
    secret: true,
    says: 'Password for sudo, on the same hosts; sent only when sudo asks for it.',
    example: "'…'",
  },
  sshAgent: {
    ...fileOrNone,
    env: 'SSH_AGENT',
    group: 'ssh',
    otherwise: 'the value of `SSH_AUTH_SOCK`',
    says: 'Socket of the SSH agent, or `none` to use no agent.',
    example: 'none',
  },
  sshKnownHosts: {
    ...file,
    env: 'SSH_KNOWN_HOSTS',
    group: 'ssh',
    initial: '~/.ssh/known_hosts',
    says: 'Known host keys; read only. What `proxmox-ssh-mcp trust` accepts is kept in a file of its own.',
    example: '~/.ssh/known_hosts',
  },
  sshAcceptNew: {
    ...yesNo,
    env: 'SSH_ACCEPT_NEW',
    group: 'ssh',
    initial: 'no',
    says: 'Accept the key of a host never seen before. A changed key is refused whatever this says.',
    example: 'no',
  },
  sshConfig: {
    ...fileOrNone,
    env: 'SSH_CONFIG',
    group: 'ssh',
    initial: '~/.ssh/config',
    says: 'OpenSSH client configuration whose hosts can be used by name, or `none`.',
    example: '~/.ssh/config',
  },
  sshConnectTimeoutS: {
    ...wholeNumber(1, 120),
    env: 'SSH_CONNECT_TIMEOUT_S',
    group: 'ssh',
    initial: '15',
    says: 'Seconds for connecting and logging in.',
    example: '15',
  },
  inventoryFile: {
    ...fileOrNone,
    env: 'MCP_INVENTORY_FILE',
    group: 'ssh',
    initial: '~/.config/proxmox-ssh-mcp/hosts.json',
    says: 'Further hosts, as JSON; README.md describes it under "More hosts".',
    example: '~/.config/proxmox-ssh-mcp/hosts.json',
  },
  mode: {
    ...oneOf('read-only', 'guarded', 'ask', 'trusted'),
    env: 'MCP_MODE',
    group: 'safety',
    initial: 'guarded',
    says: 'What may be done: look only; all, asking before what cannot be undone; all, asking before any change; all.',
    example: 'guarded',
  },
  toolsets: {
    ...listOf('core', 'full', 'pve', 'ssh'),
    env: 'MCP_TOOLSETS',
    group: 'safety',
    initial: 'core',
    says: 'Which tools there are: those for every day, all of them, all of the REST API, all of SSH; several add up.',
    example: 'core',
  },
  protectedGuests: {
    ...vmids,
    env: 'MCP_PROTECTED_GUESTS',
    group: 'safety',
    initial: '',
    otherwise: 'none',
    says: 'VMIDs of guests that no tool may touch but to read, whatever the mode. A command on their node still can.',
    example: '100,101',
    cure: 'Write VMIDs, not names, because a name can change and can be used twice; pve_guest_list shows both.',
  },
  auditFile: {
    ...file,
    env: 'MCP_AUDIT_FILE',
    group: 'safety',
    initial: '~/.local/state/proxmox-ssh-mcp/audit.jsonl',
    says: 'Record of every call. When it cannot be written, nothing is changed.',
    example: '~/.local/state/proxmox-ssh-mcp/audit.jsonl',
  },
  auditMaxMib: {
    ...wholeNumber(1, 10_240),
    env: 'MCP_AUDIT_MAX_MIB',
    group: 'safety',
    initial: '64',
    says: 'Size in MiB from which on the record is continued in a new file; the old one gets the time as part of its name.',
    example: '64',
  },
  auditKeepDays: {
    ...wholeNumber(0, 36_500),
    env: 'MCP_AUDIT_KEEP_DAYS',
    group: 'safety',
    initial: '0',
    says: 'Days after which such old files are removed; 0 keeps them all.',
    example: '365',
  },
  confirmTimeoutS: {
    ...wholeNumber(5, 3600),
    env: 'MCP_CONFIRM_TIMEOUT_S',
    group: 'safety',
    initial: '120',
    says: 'Seconds that a question to a human stays open; then the answer is no.',
    example: '120',
  },
  approveInTerminal: {
    ...yesNo,
    env: 'MCP_APPROVE_IN_TERMINAL',
    group: 'safety',
    initial: 'no',
    says: 'Let the operator answer in another terminal (`proxmox-ssh-mcp approve`) where the client cannot ask.',
    example: 'no',
  },
  outputDir: {
    ...file,
    env: 'MCP_OUTPUT_DIR',
    group: 'answers',
    initial: '~/.local/state/proxmox-ssh-mcp/outputs',
    says: 'Where output that is too long for an answer is kept, and exports and passwords that were made.',
    example: '~/.local/state/proxmox-ssh-mcp/outputs',
  },
  transferDir: {
    ...file,
    env: 'MCP_TRANSFER_DIR',
    group: 'answers',
    initial: '~/.local/state/proxmox-ssh-mcp/files',
    says: 'The only folder that files are uploaded from and downloaded to. Links in it are not followed.',
    example: '~/proxmox-files',
  },
  answerChars: {
    ...wholeNumber(2000, 500_000),
    env: 'MCP_ANSWER_CHARS',
    group: 'answers',
    initial: '30000',
    says: 'Length of an answer at most, in characters. Claude Code itself replaces what is longer than 50,000.',
    example: '30000',
  },
  taskWaitS: {
    ...wholeNumber(1, 85),
    env: 'MCP_TASK_WAIT_S',
    group: 'answers',
    initial: '60',
    says: 'Seconds that a call waits for a Proxmox task before it hands back the task id.',
    example: '60',
  },
  commandTimeoutS: {
    ...wholeNumber(1, 3600),
    env: 'MCP_COMMAND_TIMEOUT_S',
    group: 'answers',
    initial: '60',
    says: 'Seconds that a call waits for a command when it does not say; after that the command goes on as a job.',
    example: '60',
  },
  tlsCert: {
    ...file,
    env: 'MCP_TLS_CERT',
    group: 'http',
    otherwise: 'plain HTTP, on this machine only',
    says: 'Certificate for `serve --http`, PEM with its chain. Clients may use the names that it is good for.',
    example: '~/.config/proxmox-ssh-mcp/tls.crt',
  },
  tlsKey: {
    ...file,
    env: 'MCP_TLS_KEY',
    group: 'http',
    says: 'Private key of that certificate.',
    example: '~/.config/proxmox-ssh-mcp/tls.key',
  },
  ...webhookSettings,
} as const satisfies Record<string, Setting>;

export type Table = typeof table;
export type Key = keyof Table;

type Value<S extends Setting> = z.output<S['schema']> | (S extends { initial: string } ? never : undefined);

/** The value of every setting. Without a default, one that nothing sets is undefined. */
export type Settings = { readonly [K in Key]: Value<Table[K]> };

export const keys = Object.keys(table) as readonly Key[];

/** The setting of a key, as seen by code that treats all alike. */
export const settingOf = (key: Key): Setting => table[key];

/** `--proxmox-host` of `proxmoxHost`; undefined for a secret. */
export const flagOf = (key: Key): string | undefined =>
  settingOf(key).secret ? undefined : `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
