/** One thing that an operator asks for, the call that does it, and what its answer has to say. */
export interface Step {
  /** In the operator's words. */
  readonly asks: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, string | number | boolean>>;
  readonly expects: readonly RegExp[];
  readonly reads?: true;
  /** Its lines are broken, not cut: the end of them matters. */
  readonly whole?: true;
}

/** The session that the demo plays. */
export const steps: readonly Step[] = [
  {
    asks: 'Which containers do I have?',
    tool: 'pve_guest_list',
    args: { kind: 'lxc' },
    expects: [/keycloak/, /postgres/, /pihole/],
    reads: true,
  },
  {
    asks: 'How are RAM and CPU of the server?',
    tool: 'pve_overview',
    args: {},
    expects: [/pve1/, /pve2/, /GiB/],
    reads: true,
  },
  {
    asks: 'Is there room on the storages?',
    tool: 'pve_storage_list',
    args: {},
    expects: [/local-lvm/, /GiB/],
    reads: true,
  },
  {
    asks: 'Start container 400, and wait until it runs.',
    tool: 'pve_guest_power',
    args: { guest: 400, action: 'start' },
    expects: [/CT 400 \(keycloak\)/, /status: running/],
  },
  {
    asks: 'Is the Keycloak Docker container running in it?',
    tool: 'pct_exec',
    args: { vmid: 400, script: 'docker ps' },
    expects: [/quay\.io\/keycloak/, /Up /],
    whole: true,
  },
  {
    asks: 'Restart webzfs on pve1, and show me its log.',
    tool: 'ssh_exec',
    args: { target: 'pve1', script: 'systemctl restart webzfs && journalctl -u webzfs -n 5 --no-pager' },
    expects: [/Started webzfs\.service/, /webzfs\[\d+\]/],
    whole: true,
  },
  {
    asks: 'Take a snapshot of 400.',
    tool: 'pve_snapshot_create',
    args: { guest: 400, name: 'demo', description: 'Taken by the demo' },
    expects: [/demo/, /400/],
  },
  {
    asks: 'Cut the power of 400.',
    tool: 'pve_guest_stop',
    args: { guest: 400, action: 'stop' },
    expects: [/CT 400 \(keycloak\)/, /status: stopped/],
  },
];
