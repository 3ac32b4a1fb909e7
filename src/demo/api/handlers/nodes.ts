import { X509Certificate } from 'node:crypto';
import { nodeVitals } from '../../world.ts';
import type { Call, Handlers } from '../call.ts';
import { release } from './cluster.ts';

/** The shape of recording k-remote. */
function status(call: Call): unknown {
  const { node, world } = call;
  const { cpu, memory, uptime } = nodeVitals(node, world.guests, world.now());
  const load = cpu * node.cpus;
  const { total, used } = node.rootfs;
  const build = '#1 SMP PREEMPT_DYNAMIC PMX 6.17.2-1 (2026-10-21T11:55Z)';
  return {
    'boot-info': { mode: 'efi', secureboot: 0 },
    cpu,
    cpuinfo: {
      cores: node.cpus / 2,
      cpus: node.cpus,
      family: '6',
      flags: 'fpu vme de pse tsc msr pae mce cx8 apic sep mtrr',
      hvm: '1',
      mhz: '2596.143',
      model: node.cpuModel,
      sockets: 1,
      user_hz: 100,
      vendor: node.cpuModel.startsWith('AMD') ? 'AuthenticAMD' : 'GenuineIntel',
    },
    'current-kernel': { machine: 'x86_64', release: node.kernel, sysname: 'Linux', version: build },
    idle: 0,
    ksm: { shared: 0 },
    kversion: `Linux ${node.kernel} ${build}`,
    loadavg: [load, load * 0.93, load * 0.88].map((value) => value.toFixed(2)),
    memory: {
      available: node.memory - memory,
      free: Math.floor((node.memory - memory) / 2),
      total: node.memory,
      used: memory,
    },
    pveversion: `pve-manager/${release.version}/${release.repoid}`,
    rootfs: { avail: total - used, free: total - used, total, used },
    swap: { free: node.swap, total: node.swap, used: 0 },
    uptime,
    wait: cpu / 90,
  };
}

function time({ world }: Call): unknown {
  const seconds = Math.floor(world.now() / 1000);
  return { localtime: seconds, time: seconds, timezone: 'Etc/UTC' };
}

/** The certificate that this API serves with, as pve-ssl.pem (recording c-certs). */
function certificates(call: Call): unknown[] {
  const { certificatePem, fingerprint } = call.endpoint;
  const certificate = new X509Certificate(certificatePem);
  const name = (text: string) =>
    text
      .split('\n')
      .map((part) => `/${part}`)
      .join('');
  const names = certificate.subjectAltName?.split(', ').map((entry) => entry.replace(/^[^:]+:/, '')) ?? [];
  return [
    {
      filename: 'pve-ssl.pem',
      fingerprint,
      issuer: name(certificate.issuer),
      notafter: Math.floor(Date.parse(certificate.validTo) / 1000),
      notbefore: Math.floor(Date.parse(certificate.validFrom) / 1000),
      pem: certificatePem,
      'public-key-bits': 256,
      'public-key-type': 'id-ecPublicKey',
      san: names,
      subject: name(certificate.subject),
    },
  ];
}

const update = (Package: string, OldVersion: string, Version: string, Title: string) => ({
  Arch: 'amd64',
  Description: Title,
  OldVersion,
  Origin: 'Proxmox',
  Package,
  Priority: 'optional',
  Section: 'admin',
  Title,
  Version,
});

const updates = [
  update('pve-manager', '9.2.11', '9.2.12', 'Proxmox Virtual Environment Management Tools'),
  update('qemu-server', '9.2.6', '9.2.7', 'Qemu Server Tools'),
];

export const nodeHandlers: Handlers = {
  'GET /nodes/{node}/status': status,
  'GET /nodes/{node}/time': time,
  'GET /nodes/{node}/certificates/info': certificates,
  'GET /nodes/{node}/apt/update': () => updates,
};
