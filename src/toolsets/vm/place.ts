import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { noAgent, notRunning } from '../../pve/agent.ts';
import { text } from '../../pve/fields.ts';
import { findGuest, type Guest, readGuest } from '../../pve/guests.ts';
import { path } from '../../pve/path.ts';
import { readState } from '../pve/state.ts';
import type { ToolContext } from '../tool.ts';

/** `VM 200 (homeassistant)`, and `VM 200 (homeassistant) of attic` where there are several clusters. */
export const labelOf = ({ label }: Guest, cluster: string | undefined): string =>
  `${label.replace(/ on \S+$/, '')}${cluster === undefined ? '' : ` of ${cluster}`}`;

/** The inside of a running VM whose guest agent is switched on. */
export interface VmPlace {
  readonly guest: Guest;
  /** Its cluster, where there are several. */
  readonly cluster?: string;
  /** `VM 200 (homeassistant)`. */
  readonly label: string;
}

const shape = z.object({ agent: z.coerce.string().optional().catch(undefined), ostype: text });
type Config = z.infer<typeof shape>;

/**
 * The VM that `ref` names; a Failure when it is a container, is not running, or its agent is switched off. Before that,
 * what `refuse` throws.
 */
export async function vmPlaceOf(
  ref: number | string,
  { pve, cluster, signal }: Pick<ToolContext, 'pve' | 'cluster' | 'signal'>,
  refuse: (guest: Guest, config: Config) => void = () => undefined,
): Promise<VmPlace> {
  const found = await findGuest(pve, ref, { signal });
  if (found.kind === 'lxc') throw isContainer(found);
  const read = ({ node, vmid }: Guest) => pve.get(path`/nodes/${node}/qemu/${vmid}/config`, shape, {}, { signal });
  const { guest, value: config } = await readGuest(pve, found, read, { signal });
  refuse(guest, config);
  // The cluster's own list lags by up to 10 s: a VM that was just started still counts as stopped there.
  const running = guest.status === 'running' || (await readState(pve, guest, signal)).status === 'running';
  if (!running) throw notRunning(guest);
  if (!/(^|,)(enabled=)?(1|on|yes|true)(,|$)/i.test(config.agent ?? '')) throw noAgent(guest);
  return { guest, cluster, label: labelOf(guest, cluster) };
}

/** The same where a shell is needed, which a Windows guest does not have. */
export const vmShellOf = (
  ref: number | string,
  context: Pick<ToolContext, 'pve' | 'cluster' | 'signal'>,
): Promise<VmPlace> =>
  vmPlaceOf(ref, context, ({ label }, { ostype }) => {
    if (!ostype?.startsWith('w')) return;
    throw new Failure(
      'invalid-input',
      `${label} is a Windows guest: it has no sh, and what is started by its agent could not be ended.`,
      'Switch on its OpenSSH server, list it as a host (inventory file or ~/.ssh/config), and use ssh_exec. vm_agent reads what its agent tells.',
    );
  });

const isContainer = ({ label, vmid }: Guest): Failure =>
  new Failure(
    'invalid-input',
    `${label} is a container.`,
    `Use pct_exec with vmid ${vmid}, or ssh_exec with target ct/${vmid}.`,
  );
