import { stateOf } from './guest-filter.ts';
import type { Reached } from './reached.ts';

/**
 * An Ansible inventory in YAML: every guest with its variables, and groups by kind, node and tag. Ansible fills in
 * templates wherever it finds braces, so nothing that others wrote is passed on but letters, digits and `_.+-`.
 */
export async function ansibleInventory(guests: readonly Reached[], user: string | undefined): Promise<string> {
  const { stringify } = await import('yaml');
  const groups = new Map<string, Record<string, object>>();
  for (const { guest, alias } of guests) {
    const names = [`kind_${guest.kind}`, `node_${guest.node}`, ...guest.tags.map((tag) => `tag_${tag}`)];
    for (const name of new Set(names.map(groupName))) groups.set(name, { ...groups.get(name), [alias]: {} });
  }
  const children = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, hosts]) => [name, { hosts }]);
  const inventory = {
    all: {
      hosts: Object.fromEntries(guests.map((one) => [one.alias, variables(one, user)])),
      children: Object.fromEntries(children),
    },
  };
  // Ansible reads YAML 1.1, where a bare `no`, `1e3` or `12:30` is no text.
  return stringify(inventory, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false });
}

function variables({ guest, address }: Reached, user: string | undefined) {
  return {
    ...(address !== undefined && { ansible_host: address }),
    ...(user !== undefined && { ansible_user: user }),
    proxmox_vmid: guest.vmid,
    proxmox_kind: guest.kind,
    proxmox_node: harmless(guest.node),
    proxmox_status: harmless(stateOf(guest)),
    proxmox_tags: guest.tags.map(harmless),
  };
}

const harmless = (text: string): string => text.replace(/[^A-Za-z0-9_.+-]/g, '_');

/** Ansible takes names of groups as Python takes names of variables. */
const groupName = (text: string): string => text.replace(/[^A-Za-z0-9_]/g, '_');
