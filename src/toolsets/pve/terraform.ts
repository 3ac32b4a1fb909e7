import type { Guest } from '../../pve/guests.ts';
import type { GuestConfig } from './config.ts';
import { type HclBody, hclLines, quoted } from './hcl.ts';
import { containerBody } from './terraform-ct.ts';
import { commonOf, startup } from './terraform-parts.ts';
import { machineBody } from './terraform-vm.ts';

/** A guest with its configuration, under a name of its own that Terraform takes. */
export interface Described {
  readonly guest: Guest;
  readonly config: GuestConfig;
  readonly label: string;
}

const header = [
  '# For the provider bpg/proxmox, with Terraform 1.5 or OpenTofu 1.6 at least. The first plan imports these guests: look',
  '# that it creates and replaces nothing. Settings that are left out are named; passwords and SSH keys never are.',
];

/** One import and one resource block for each guest. */
export const terraform = (guests: readonly Described[]): string =>
  [...header, ...guests.flatMap((one) => ['', ...resource(one)]), ''].join('\n');

function resource({ guest, config, label }: Described): string[] {
  const type = `proxmox_virtual_environment_${guest.kind === 'lxc' ? 'container' : 'vm'}`;
  const common = commonOf(guest, config.settings);
  const { body, covered } = guest.kind === 'lxc' ? containerBody(common) : machineBody(common);
  const left = Object.keys(config.settings).filter((key) => !covered.test(key));
  const whole: HclBody = [
    ['node_name', guest.node],
    ['vm_id', guest.vmid],
    ['description', config.description],
    ['tags', guest.tags.length > 0 ? [...guest.tags].sort() : undefined],
    ['template', guest.template || undefined],
    ['started', guest.status === 'running'],
    ['protection', common.number('protection') === 1 || undefined],
    ...body,
    ['startup', startup(common)],
  ];
  return [
    'import {',
    `  to = ${type}.${label}`,
    `  id = ${quoted(`${guest.node}/${guest.vmid}`)}`,
    '}',
    '',
    ...(left.length > 0 ? [`# Left out: ${left.join(', ')}.`] : []),
    `resource "${type}" "${label}" {`,
    ...hclLines(whole),
    '',
    '  lifecycle {',
    '    prevent_destroy = true',
    `    ignore_changes = [${guest.kind === 'lxc' ? 'started, operating_system' : 'started'}]`,
    '  }',
    '}',
  ];
}
