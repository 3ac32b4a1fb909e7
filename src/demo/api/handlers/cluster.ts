import { type Guest, nodeVitals, type Storage } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { badParameters } from '../errors.ts';
import { guestNumbers } from './guest-rows.ts';

/** The shown version: that of the recordings. */
export const release = { release: '9.2', version: '9.2.11', repoid: '14a22df3' } as const;

const online = (call: Call, node: string): boolean => !call.world.switches.offline.has(node);

function status(call: Call): unknown[] {
  const { world } = call;
  const cluster = { id: 'cluster', name: world.clusterName, nodes: world.nodes.length, type: 'cluster', version: 2 };
  const nodes = world.nodes.map((node) => ({
    id: `node/${node.name}`,
    ip: node.ip,
    level: '',
    local: node.name === call.endpoint.local ? 1 : 0,
    name: node.name,
    nodeid: node.id,
    online: online(call, node.name) ? 1 : 0,
    type: 'node',
  }));
  return [{ ...cluster, quorate: world.switches.quorate ? 1 : 0 }, ...nodes];
}

/** Rows of nodes as /nodes and /cluster/resources have in common; without Sys.Audit there are no numbers (n-nodes). */
function nodeRows(call: Call) {
  const { world, who } = call;
  return world.nodes.map((node) => {
    const base = { id: `node/${node.name}`, level: '', node: node.name, type: 'node' };
    const audit = who.may(`/nodes/${node.name}`, 'Sys.Audit');
    const size = { maxcpu: node.cpus, maxdisk: node.rootfs.total, maxmem: node.memory };
    if (!online(call, node.name)) return { ...base, status: 'offline', ...(audit ? size : {}) };
    if (!audit) return { ...base, status: 'online' };
    const { cpu, disk, memory, uptime } = nodeVitals(node, world.guests, world.now());
    return { ...base, status: 'online', ...size, cpu, disk, mem: memory, uptime };
  });
}

/** pve1 has the certificate that the client sees; the other nodes have one that nobody sees. */
function fingerprintOf(call: Call, node: string): string {
  if (node === call.endpoint.local) return call.endpoint.fingerprint;
  return Array.from(node.padEnd(32, node), (letter) => letter.charCodeAt(0).toString(16).toUpperCase())
    .slice(0, 32)
    .join(':');
}

const guestRow = (call: Call, guest: Guest) => ({
  id: `${guest.kind}/${guest.vmid}`,
  node: guest.node,
  type: guest.kind,
  template: guest.template ? 1 : 0,
  ...(online(call, guest.node)
    ? guestNumbers(guest, call.world.now())
    : { name: String(guest.config.hostname ?? guest.config.name), status: 'unknown', vmid: guest.vmid }),
});

function storageRows(call: Call, storage: Storage): unknown[] {
  if (!call.who.may(`/storage/${storage.name}`, 'Datastore.Audit', 'Datastore.AllocateSpace')) return [];
  return call.world.nodes.map(({ name }) => ({
    content: storage.content.join(','),
    id: `storage/${name}/${storage.name}`,
    node: name,
    plugintype: storage.type,
    shared: storage.shared ? 1 : 0,
    status: online(call, name) && storage.active ? 'available' : 'unknown',
    storage: storage.name,
    type: 'storage',
    ...(online(call, name) && storage.active ? { disk: storage.used, maxdisk: storage.total } : {}),
  }));
}

function networkRows(call: Call): unknown[] {
  if (!call.who.may('/sdn/zones/localnetwork', 'SDN.Audit')) return [];
  return call.world.nodes.map(({ name }) => ({
    id: `network/${name}/zone/localnetwork`,
    network: 'localnetwork',
    'network-type': 'zone',
    node: name,
    status: online(call, name) ? 'ok' : 'unknown',
    type: 'network',
  }));
}

function resources(call: Call): unknown[] {
  const wanted = call.text('type');
  const rows: unknown[] = [];
  const { guests, storages } = call.world;
  const seen = guests.filter((guest) => call.who.may(`/vms/${guest.vmid}`, 'VM.Audit'));
  if (wanted === '' || wanted === 'vm') rows.push(...seen.map((guest) => guestRow(call, guest)));
  if (wanted === '' || wanted === 'node') rows.push(...nodeRows(call).map((row) => ({ ...row, 'cgroup-mode': 2 })));
  if (wanted === '' || wanted === 'storage') rows.push(...storages.flatMap((storage) => storageRows(call, storage)));
  if (wanted === '' || wanted === 'sdn') rows.push(...networkRows(call));
  return rows;
}

/** A string, whatever the schema says (recording n-nextid). */
function nextId(call: Call): string {
  const taken = new Set(call.world.guests.map((guest) => guest.vmid));
  if (call.has('vmid')) {
    if (taken.has(call.int('vmid'))) throw badParameters({ vmid: `VM ${call.int('vmid')} already exists` });
    return call.text('vmid');
  }
  let id = 100;
  while (taken.has(id)) id++;
  return String(id);
}

export const clusterHandlers: Handlers = {
  'GET /version': () => release,
  'GET /cluster/status': status,
  'GET /cluster/resources': resources,
  'GET /cluster/nextid': nextId,
  'GET /nodes': (call) => nodeRows(call).map((row) => ({ ...row, ssl_fingerprint: fingerprintOf(call, row.node) })),
};
