import type { Setting } from './setting.ts';
import {
  clusterName,
  commandLine,
  endpoints,
  file,
  fingerprints,
  pveUser,
  tokenName,
  tokenValue,
  wholeNumber,
  yesNo,
} from './values.ts';

/** Where the API is, how it is known again, and the token for it. */
export const proxmoxSettings = {
  proxmoxHost: {
    ...endpoints,
    env: 'PROXMOX_HOST',
    group: 'proxmox',
    needed: true,
    says:
      'Name or address of a Proxmox VE host; of a cluster, any node, or several separated by commas (`pve1,pve2:8006`): ' +
      'when one does not answer, the next is asked.',
    example: 'pve.example.com',
  },
  proxmoxPort: {
    ...wholeNumber(1, 65535),
    env: 'PROXMOX_PORT',
    group: 'proxmox',
    initial: '8006',
    says: 'Port of the API, where `PROXMOX_HOST` names none.',
    example: '8006',
  },
  proxmoxUser: {
    ...pveUser,
    env: 'PROXMOX_USER',
    group: 'proxmox',
    initial: 'root@pam',
    says: 'User that the API token belongs to.',
    example: 'root@pam',
  },
  proxmoxTokenName: {
    ...tokenName,
    env: 'PROXMOX_TOKEN_NAME',
    group: 'proxmox',
    needed: true,
    says: 'Name of the API token; the full `user@realm!name` works too.',
    example: 'mcp',
  },
  proxmoxTokenValue: {
    ...tokenValue,
    env: 'PROXMOX_TOKEN_VALUE',
    group: 'proxmox',
    needed: true,
    secret: true,
    says: 'Secret of the API token, shown once when the token is made.',
    example: '00000000-0000-0000-0000-000000000000',
  },
  proxmoxTokenCommand: {
    ...commandLine,
    env: 'PROXMOX_TOKEN_COMMAND',
    group: 'proxmox',
    says: 'Command that prints the secret of the token, in the place of `PROXMOX_TOKEN_VALUE`; it is run at every start.',
    otherwise: 'none',
    example: "'pass show proxmox/mcp'",
  },
  proxmoxTokenKeychain: {
    ...yesNo,
    env: 'PROXMOX_TOKEN_KEYCHAIN',
    group: 'proxmox',
    initial: 'no',
    says: "The secret of the token is in the system's keychain, where `proxmox-ssh-mcp setup` put it.",
    example: 'no',
  },
  proxmoxFingerprint: {
    ...fingerprints,
    env: 'PROXMOX_FINGERPRINT',
    group: 'proxmox',
    usual: true,
    says:
      'SHA-256 fingerprint that the certificate must have, as `proxmox-ssh-mcp doctor` shows it. ' +
      'Needed for the certificate that Proxmox VE makes itself. For several hosts, those of all of them, separated by ' +
      'commas, in any order.',
    otherwise: 'a CA has to vouch for it',
    example: 'AA:BB:CC:…',
    cure: 'Copy it from the web interface (node, Certificates) or from "proxmox-ssh-mcp doctor".',
  },
  proxmoxCaFile: {
    ...file,
    env: 'PROXMOX_CA_FILE',
    group: 'proxmox',
    says: 'PEM file with the CA of the certificate, instead of a fingerprint; on a host: /etc/pve/pve-root-ca.pem.',
    otherwise: "Node.js's own list of CAs",
    example: '~/pve-root-ca.pem',
  },
  proxmoxCluster: {
    ...clusterName,
    env: 'PROXMOX_CLUSTER',
    group: 'proxmox',
    initial: 'main',
    says: 'What this cluster is called in calls, where the inventory file describes others beside it.',
    example: 'home',
  },
  proxmoxTimeoutS: {
    ...wholeNumber(1, 600),
    env: 'PROXMOX_TIMEOUT_S',
    group: 'proxmox',
    initial: '30',
    says: 'Seconds after which an API request is given up.',
    example: '30',
  },
} as const satisfies Record<string, Setting>;
