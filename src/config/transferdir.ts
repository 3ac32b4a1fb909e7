import { isAbsolute, relative } from 'node:path';
import type { Read } from './load.ts';

const holds = (folder: string, path: string): boolean => {
  const way = relative(folder, path);
  return way === '' || (!/^\.\.(\/|\\|$)/.test(way) && !isAbsolute(way));
};

/**
 * Tools write into the transfer folder and send what lies there: one that holds a file that this program trusts or
 * hides is not used, but `usual` is.
 */
export function guardTransferDir({ values, sources, problems }: Read, usual: unknown, kept: readonly unknown[]): void {
  const folder = values.get('transferDir');
  if (typeof folder !== 'string') return;
  const held = kept.find((path) => typeof path === 'string' && holds(folder, path));
  if (held === undefined) return;
  problems.push({
    cause: `MCP_TRANSFER_DIR (${sources.get('transferDir')}) is not used: ${held} is in it, which tools could then replace and send.`,
    cure: 'Set it to a folder that holds nothing but files to transfer, such as ~/proxmox-files.',
  });
  values.set('transferDir', usual);
  sources.set('transferDir', 'default');
}
