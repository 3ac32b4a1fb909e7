import type { Secret } from '../secret.ts';
import { reaches } from '../toolsets/tool.ts';
import type { Surroundings } from './load.ts';
import { ALL, type Problem, reason } from './problem.ts';
import { type Key, keys, type Settings, settingOf } from './settings.ts';

type Sources = Readonly<Record<Key, string>>;

/** `id` is `user@realm!name`. */
export interface ApiToken {
  readonly id: string;
  readonly secret: Secret;
}

interface Token {
  readonly token?: ApiToken;
  readonly problem?: Problem;
}

/** The API token, when its settings are complete and agree on the user. */
export function tokenOf(settings: Settings, sources: Sources): Token {
  const { proxmoxTokenName: name, proxmoxTokenValue: secret, proxmoxUser: user } = settings;
  if (name === undefined || secret === undefined) return {};
  if (!name.includes('!')) return { token: { id: `${user}!${name}`, secret } };
  if (sources.proxmoxUser === 'default' || name.startsWith(`${user}!`)) return { token: { id: name, secret } };
  return {
    problem: {
      cause:
        `PROXMOX_TOKEN_NAME (${sources.proxmoxTokenName}) belongs to another user than ` +
        `PROXMOX_USER (${sources.proxmoxUser}) says.`,
      cure: 'Leave PROXMOX_USER out, or make the two agree.',
      blocks: ['pve'],
    },
  };
}

/** The problem that something the API needs is not set, when it is wanted and not already told as wrong. */
export function missing(settings: Settings, told: readonly Problem[], file: string): { problem?: Problem } {
  const names = keys
    .filter((key) => settingOf(key).needed && settings[key] === undefined)
    .map((key) => settingOf(key).env)
    .filter((name) => !told.some(({ cause }) => cause.startsWith(`${name} `)));
  const fileRefused = told.some(({ blocks }) => blocks === ALL);
  if (fileRefused || names.length === 0 || !reaches(settings.toolsets, 'pve')) return {};
  return {
    problem: {
      cause: `${names.join(', ').replace(/, ([^,]*)$/, ' and $1')} ${names.length > 1 ? 'are' : 'is'} not set.`,
      cure: `Set ${names.length > 1 ? 'them' : 'it'} in ${file}, or choose the SSH tools alone with MCP_TOOLSETS=ssh.`,
      blocks: ['pve'],
    },
  };
}

/** The text of a CA file, when one is set. */
export function caText(
  key: 'proxmoxCaFile' | 'webhookCaFile',
  settings: Settings,
  sources: Sources,
  around: Surroundings,
): { text?: string; problem?: Problem } {
  const path = settings[key];
  if (path === undefined) return {};
  const ofApi = key === 'proxmoxCaFile';
  const read = textOfCa(path, around);
  if ('text' in read) return read;
  return {
    problem: {
      cause: `${settingOf(key).env} (${sources[key]}) names a file that cannot be used: ${read.why}.`,
      cure: `Name a PEM file${ofApi ? '; a Proxmox VE host keeps its own CA in /etc/pve/pve-root-ca.pem' : ''}.`,
      blocks: ofApi ? ['pve'] : undefined,
    },
  };
}

/** The text of a PEM file, or why it is none. */
export function textOfCa(
  path: string,
  { readFile }: Pick<Surroundings, 'readFile'>,
): { readonly text: string } | { readonly why: string } {
  try {
    const text = readFile(path);
    return text.includes('-----BEGIN CERTIFICATE-----') ? { text } : { why: 'it holds no certificate' };
  } catch (error) {
    return { why: reason(error) };
  }
}
