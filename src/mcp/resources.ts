import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  type ListResourcesResult,
  ProtocolError,
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { pageOf } from '../pages/page.ts';
import { answer, remote } from '../present/answer.ts';
import type { Names } from '../toolsets/names.ts';
import { reaches } from '../toolsets/tool.ts';
import { pageUri } from './annotations.ts';
import { clientOf } from './asker.ts';
import { untilEither } from './either.ts';
import type { Edge } from './server.ts';

/** One name within a kind, as a list shows it. */
interface Named {
  readonly name: string;
  readonly title: string;
}

/** Resources that are all read by the same tool. */
interface Kind {
  /** The URI up to the name; the whole of it where there is one resource only. */
  readonly uri: string;
  /** What stands for the name in the template. */
  readonly variable?: string;
  readonly toolset: 'pve' | 'ssh';
  readonly tool: string;
  readonly title: string;
  readonly description: string;
  input(name: string): Record<string, unknown>;
  names(names: Names): readonly Named[];
}

const plainly = (names: readonly string[]): Named[] => names.map((name) => ({ name, title: name }));

/** The parts of `400@attic`, which is how guests and nodes are called where there are several clusters. */
function clusterIn(text: string): { readonly name: string; readonly cluster?: string } {
  const [, name = text, cluster] = /^(.+)@([A-Za-z0-9-]+)$/.exec(text) ?? [];
  return cluster === undefined ? { name } : { name, cluster };
}

const kinds: readonly Kind[] = [
  {
    uri: 'pve://cluster',
    toolset: 'pve',
    tool: 'pve_overview',
    title: 'The whole datacentre',
    description: 'Quorum, nodes with load, guests by state, storage use, and what needs attention.',
    input: () => ({}),
    names: () => plainly(['']),
  },
  {
    uri: 'pve://node/',
    variable: 'node',
    toolset: 'pve',
    tool: 'pve_node_get',
    title: 'A node',
    description: 'Version, load, memory, disks and services of one node.',
    input: (text) => {
      const { name, ...cluster } = clusterIn(text);
      return { node: name, ...cluster };
    },
    names: ({ nodes }) => plainly(nodes),
  },
  {
    uri: 'pve://guest/',
    variable: 'vmid',
    toolset: 'pve',
    tool: 'pve_guest_get',
    title: 'A guest',
    description: 'State, load, configuration, addresses and snapshots of one VM or container, by VMID.',
    input: (text) => {
      const { name, ...cluster } = clusterIn(text);
      return { guest: /^\d+$/.test(name) ? Number(name) : name, ...cluster };
    },
    names: ({ guests }) => guests.map(({ ref, label }) => ({ name: ref, title: label })),
  },
  {
    uri: 'ssh://host/',
    variable: 'name',
    toolset: 'ssh',
    tool: 'ssh_host_get',
    title: 'An SSH host',
    description: 'How one host is reached, what it has, its limits and last error.',
    input: (host) => ({ host }),
    names: ({ hosts }) => plainly(hosts),
  },
];

const audit: Resource = {
  uri: 'audit://recent',
  name: 'What was done',
  title: 'What was done',
  description: 'The newest calls of the audit: what was asked for, by whom, how it was approved, what came of it.',
  mimeType: 'text/plain',
};

/** The newest calls as a resource holds them; what servers said in them is between marks, as everywhere. */
export async function auditContents({ recent, present }: Pick<Edge, 'recent' | 'present'>) {
  const calls = await recent();
  const rows = calls.map(
    ({ time, call, tool, about, effect, verdict, exitCode, durationMs, approved, client, message }) => ({
      ...{ time, call, tool, about, effect, verdict, exit_code: exitCode, ms: durationMs, approved, client },
      message: message === undefined ? undefined : remote(message),
    }),
  );
  const { text } = await present.answer(answer(`The newest ${calls.length} calls, the newest last`, { calls: rows }));
  return { uri: audit.uri, mimeType: 'text/plain', text };
}

/** The name in a URI of that kind; undefined when it is none. */
function nameIn(uri: string, kind: Kind): string | undefined {
  if (kind.variable === undefined) return uri === kind.uri ? '' : undefined;
  if (!uri.startsWith(kind.uri)) return undefined;
  try {
    return decodeURIComponent(uri.slice(kind.uri.length));
  } catch {
    return undefined;
  }
}

/** What a host may put into a frame (MCP Apps, 2026-01-26); our pages load nothing from anywhere. */
const PAGE_TYPE = 'text/html;profile=mcp-app';
const NO_NETWORK = { ui: { csp: { connectDomains: [], resourceDomains: [] }, prefersBorder: false } };

/** Some clients show them all at once. */
const PAGE = 500;

const page = (all: readonly Resource[], cursor: string | undefined): ListResourcesResult => {
  const from = cursor === undefined ? 0 : Number(cursor);
  if (!Number.isSafeInteger(from) || from < 0)
    throw new ProtocolError(INVALID_PARAMS, 'This cursor is not one of ours.');
  const next = from + PAGE < all.length ? { nextCursor: String(from + PAGE) } : {};
  return { resources: all.slice(from, from + PAGE), ...next };
};

type ResourceParts = Pick<Edge, 'gate' | 'registry' | 'setup' | 'present' | 'recent' | 'names' | 'shutdown' | 'track'>;

/** Serves what tools can look at as resources too, so that a person can put one into a conversation by its name. */
export function serveResources(
  server: Server,
  { gate, registry, setup, present, recent, names, shutdown, track }: ResourceParts,
): void {
  const offered = kinds.filter(({ toolset }) => reaches(setup.toolsets, toolset));

  server.setRequestHandler('resources/list', async ({ params }) => {
    const known = await names();
    const all = offered.flatMap((kind) =>
      kind.names(known).flatMap(({ name, title }): Resource[] => {
        // Hidden characters or a secret: no name that anybody could mean, and a lone surrogate is in no URI.
        if (present.line(name) !== name) return [];
        const shown = present.line(title === '' ? kind.title : title);
        const uri = `${kind.uri}${encodeURIComponent(name)}`;
        return [{ uri, name: shown, title: shown, description: kind.description, mimeType: 'text/plain' }];
      }),
    );
    return page([...all.slice(0, 1), audit, ...all.slice(1)], params?.cursor);
  });

  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: offered.flatMap(({ uri, variable, title, description }): ResourceTemplateType[] =>
      variable === undefined
        ? []
        : [{ uriTemplate: `${uri}{${variable}}`, name: title, title, description, mimeType: 'text/plain' }],
    ),
  }));

  const pages = new Set(registry.listed.flatMap(({ page }) => page ?? []));

  const read = async (uri: string, ctx: ServerContext): Promise<ReadResourceResult> => {
    const page = [...pages].find((name) => pageUri(name) === uri);
    if (page) return { contents: [{ uri, mimeType: PAGE_TYPE, text: await pageOf(page), _meta: NO_NETWORK }] };
    if (uri === audit.uri) return { contents: [await auditContents({ recent, present })] };
    const kind = offered.find((one) => nameIn(uri, one) !== undefined);
    if (kind === undefined) throw new ResourceNotFoundError(uri);
    const call = {
      tool: kind.tool,
      args: kind.input(nameIn(uri, kind) ?? ''),
      client: clientOf(ctx, server),
      canAsk: false,
      unlisted: true as const,
      progress: () => undefined,
    };
    const outcome = await untilEither(shutdown, ctx.mcpReq.signal, (signal) => gate({ ...call, signal }));
    if (outcome.kind === 'answer') {
      const { text } = await present.answer(outcome.answer);
      return { contents: [{ uri, mimeType: 'text/plain', text }] };
    }
    if (outcome.kind === 'question') throw new ResourceNotFoundError(uri);
    const { text } = await present.failure(outcome.failure);
    if (outcome.failure.kind === 'not-found') throw new ResourceNotFoundError(uri, text);
    throw new ProtocolError(INTERNAL_ERROR, text);
  };
  server.setRequestHandler('resources/read', ({ params }, ctx) => {
    const reading = read(params.uri, ctx);
    track(reading);
    return reading;
  });
}

/** What may stand for the variable of a template, in the order of the list. */
export const namesFor = (uriTemplate: string, names: Names): readonly string[] => {
  const kind = kinds.find(({ uri, variable }) => variable !== undefined && uriTemplate === `${uri}{${variable}}`);
  return kind ? kind.names(names).map(({ name }) => name) : [];
};
