import { z } from 'zod';
import { type Problem, reason } from './problem.ts';
import { host, loginName } from './values.ts';

/** What can name a host in a target. */
export const HOST_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/;

const entry = z.strictObject({
  address: z.string().pipe(host.schema),
  port: z.number().int().min(1).max(65535).optional(),
  user: z.string().pipe(loginName.schema).optional(),
  keyPath: z
    .string()
    .regex(/^(~\/|\/)/, 'must be absolute or begin with ~/')
    .optional(),
  purpose: z.string().max(200).optional(),
  tags: z.array(z.string().max(50)).max(20).optional(),
  /** `[user@]host[:port]`, or several of them, first hop first; a host may be one of this file. */
  via: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
});

const schema = z.strictObject({ hosts: z.record(z.string().regex(HOST_NAME), entry) });

const fields = Object.keys(entry.shape)
  .map((field) => `"${field}"`)
  .join(', ');

/** One host as the inventory file describes it. */
export type HostEntry = z.output<typeof entry>;

export interface HostsFile {
  readonly hosts: ReadonlyMap<string, HostEntry>;
  readonly problem?: Problem;
}

/** Reads the inventory file. It is refused as a whole when a field is wrong; not being there is no problem. */
export function readHostsFile(path: string | undefined, readFile: (path: string) => string): HostsFile {
  const none = new Map<string, HostEntry>();
  if (path === undefined) return { hosts: none };
  const refuse = (why: string): HostsFile => ({
    hosts: none,
    problem: {
      cause: `The inventory file ${path} is not used: ${why}`,
      cure: `It is JSON: { "hosts": { "NAME": { ${fields} } } }; all but address may be left out.`,
    },
  });
  try {
    const parsed = schema.safeParse(JSON.parse(readFile(path)));
    if (parsed.success) return { hosts: new Map(Object.entries(parsed.data.hosts)) };
    const [issue] = parsed.error.issues;
    const where = issue?.path.map(String).join('.') || 'the top level';
    return refuse(`${where}: ${issue?.message ?? 'wrong'}.`);
  } catch (error) {
    if (error instanceof SyntaxError) return refuse(`${error.message}.`);
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { hosts: none };
    return refuse(`${reason(error)}.`);
  }
}
