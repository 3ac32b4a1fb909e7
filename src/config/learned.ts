import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { replaceFile } from '../replacefile.ts';
import type { HostSpec } from '../ssh/client.ts';
import type { Learned, Memory } from '../toolsets/tool.ts';

const MOST = 1_000;

const schema = z.record(
  z.string(),
  z.object({
    /** `user@address:port`: another machine by the same name is another one. */
    login: z.string(),
    at: z.number(),
    capabilities: z.array(z.string()),
  }),
);
type Stored = z.output<typeof schema>;

const loginOf = ({ user, address, port }: HostSpec): string => `${user}@${address}:${port}`;

/** What was learned of hosts, in a file that may be lost at any time. What cannot be written is remembered meanwhile. */
export function rememberIn(file: string): Memory {
  let unwritten: Stored = {};
  const all = (): Stored => ({ ...read(file), ...unwritten });
  return {
    of(hosts) {
      const stored = all();
      const found = hosts.flatMap((host): [string, Learned][] => {
        const seen = stored[host.name];
        return seen?.login === loginOf(host) ? [[host.name, { at: seen.at, capabilities: seen.capabilities }]] : [];
      });
      return new Map(found);
    },
    keep(host, { at, capabilities }) {
      const newest = Object.entries({
        ...all(),
        [host.name]: { login: loginOf(host), at, capabilities: [...capabilities] },
      })
        .toSorted(([, a], [, b]) => b.at - a.at)
        .slice(0, MOST);
      unwritten = Object.fromEntries(newest);
      try {
        replaceFile(file, `${JSON.stringify(unwritten, null, 1)}\n`);
        unwritten = {};
      } catch {
        // A full disk is no reason to keep from anybody what a host is.
      }
    },
  };
}

function read(file: string): Stored {
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success ? parsed.data : {};
  } catch {
    return {};
  }
}
