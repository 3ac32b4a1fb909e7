import { Failure } from '../failure.ts';
import type { Loaded, Surroundings } from './load.ts';
import { reason } from './problem.ts';

/** Certificate and key of the HTTP server, where both are set; else a `misconfigured` Failure, or nothing for neither. */
export function tlsFiles(
  { settings: { tlsCert, tlsKey } }: Pick<Loaded, 'settings'>,
  { readFile, stat, uid }: Pick<Surroundings, 'readFile' | 'stat' | 'uid'>,
): { readonly cert: string; readonly key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    const text = 'Of MCP_TLS_CERT and MCP_TLS_KEY only one is set.';
    throw new Failure('misconfigured', text, 'Set both, or neither.');
  }
  const read = (name: string, file: string): string => {
    try {
      return readFile(file);
    } catch (error) {
      const text = `${name} (${file}) cannot be used: ${reason(error)}.`;
      throw new Failure('misconfigured', text, 'Name a PEM file that this user can read.', { cause: error });
    }
  };
  const cert = read('MCP_TLS_CERT', tlsCert);
  const key = read('MCP_TLS_KEY', tlsKey);
  if (uid !== undefined && (stat(tlsKey).mode & 0o007) !== 0) {
    const text = `MCP_TLS_KEY (${tlsKey}) can be read by every user of this machine.`;
    throw new Failure('misconfigured', text, `Run: chmod o= '${tlsKey}'`);
  }
  return { cert, key };
}
