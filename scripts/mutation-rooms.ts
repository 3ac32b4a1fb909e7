/** Files that are mutated together, and the fast tests that are to notice it. */
export interface Part {
  readonly mutate: readonly string[];
  readonly tests: readonly string[];
}

const part = (room: string, files: string, tests: string): Part => ({
  mutate: files.split(' ').map((file) => `src/${room}/${file}.ts`),
  tests: tests.split(' ').map((file) => `test/${room}/${file}.test.ts`),
});

/** The rooms that are mutated: what is quoted, believed, told, read and allowed. */
export const rooms: Readonly<Record<string, readonly Part[]>> = {
  'ssh/quote': [part('ssh', 'quote', 'quote-words')],
  'ssh/hostkey': [part('ssh', 'hostkey', 'hostkey-known')],
  'pve/path': [part('pve', 'path', 'path')],
  present: [
    part('present', 'answer present budget cut fence render visible', 'text present budget cut rows'),
    part('present', 'redact scrub', 'redact scrub'),
    part('present', 'newfile exports outputs secrets', 'exports newfile present secrets'),
    part('present', 'spool', 'spool'),
  ],
  config: [
    part('config', 'setting settings settings-proxmox settings-webhook', 'documents load'),
    part(
      'config',
      'values load token tokensecret transferdir envfile problem webhook',
      'load tokensecret secrets envfile clusters',
    ),
    part('config', 'sshconfig sshlines sshmatch sshpattern', 'sshconfig'),
    part('config', 'hostsfile hostbook inventory', 'hostsfile inventory hostschange commandrules clusters'),
    part('config', 'hostschange', 'hostschange'),
    part('config', 'httptoken tlsfiles', 'httptoken'),
    part('config', 'learned', 'learned'),
    part('config', 'remembered', 'remembered'),
    part('config', 'clusters clusterentry hostcluster sameaddress', 'clusters hostcluster load commandrules inventory'),
  ],
  gate: [
    part('gate', 'audit logfile noted', 'audit-lines audit logfile noted hostile'),
    part(
      'gate',
      'confirm policy dispatch admit commands',
      'admit policy confirm dispatch question hostile audit-lines terminal takingcluster',
    ),
    part('gate', 'parse registry protect', 'parse guests dispatch hostile takingcluster'),
    part('gate', 'terminal', 'terminal-answers terminal'),
    part('gate', 'clusters', 'clusters takingcluster'),
  ],
};
