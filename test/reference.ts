import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type ApiMethod, methodsOf, type RawMethod } from '../src/pve/apidoc.ts';

const beside = resolve(import.meta.dirname, '../../shared');

/** A method as Proxmox VE's own schema has it. */
export interface SchemaMethod extends RawMethod {
  readonly parameters: { readonly properties?: Readonly<Record<string, Record<string, unknown>>> };
}

export type Release = '9' | '8.4';

const files: Readonly<Record<Release, string>> = { '9': 'pve-api-schema.json', '8.4': 'pve-api-schema-8.4.json' };

/** Proxmox VE's own schema, by release. */
export interface Reference {
  raw(release: Release): readonly SchemaMethod[];
  methods(release: Release): readonly ApiMethod[];
  /** As a server hands it out. */
  apidoc(release: Release): string;
}

/**
 * The file with the API schema of a Proxmox VE of that release: PVE_API_SCHEMA for the newest, else beside the
 * repository, of which it is no part. Where there is none, an error says what is needed.
 */
export function findSchema(env: NodeJS.ProcessEnv, release: Release = '9'): string {
  const file = (release === '9' && env.PVE_API_SCHEMA) || join(beside, files[release]);
  if (existsSync(file)) return file;
  const cure =
    release === '9' ? '`npm run schema -- https://HOST:8006` fetches it into a file; set PVE_API_SCHEMA to that' : file;
  throw new Error(`This test needs the API schema of a Proxmox VE ${release}: ${cure}. Not found: ${file}.`);
}

/** Reads the schemas when they are first asked for. */
export function readReference(env: NodeJS.ProcessEnv): Reference {
  const raw = once((release): readonly SchemaMethod[] => JSON.parse(readFileSync(findSchema(env, release), 'utf8')));
  return {
    raw,
    methods: once((release) => methodsOf(raw(release))),
    apidoc: (release) => {
      const leaves = raw(release).map(({ path, method, protected: guarded, allowtoken, ...info }) => {
        const flags = { allowtoken: allowtoken ? 1 : 0, ...(guarded ? { protected: 1 } : {}) };
        return { path, text: path, leaf: 1, info: { [method]: { ...info, method, ...flags } } };
      });
      return `const apiSchema = ${JSON.stringify(leaves)}\n;\nlet method2cmd = {};\n`;
    },
  };
}

/** The same for each release, made when it is first asked for. */
function once<T>(make: (release: Release) => T): (release: Release) => T {
  const made = new Map<Release, T>();
  return (release) => {
    const there = made.get(release) ?? make(release);
    made.set(release, there);
    return there;
  };
}
