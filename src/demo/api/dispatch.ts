import { Refusal, type World } from '../world.ts';
import { Call, type Endpoint, type Handlers } from './call.ts';
import { ApiError, badParameters, denied, ProxyError } from './errors.ts';
import type { Identity } from './identity.ts';
import type { RawParams } from './params.ts';
import type { Match, Router } from './router.ts';
import { verify } from './verify.ts';

export interface Dispatched {
  readonly result: unknown;
  /** pvedaemon answered, and says so in the Connection headers. */
  readonly protected: boolean;
}

/**
 * The road of PVE::HTTPServer::rest_handler: find the method, check the permission, pass it on to the node it is about,
 * verify the parameters there, run it.
 */
export async function dispatch(
  { world, endpoint, router, handlers }: { world: World; endpoint: Endpoint; router: Router; handlers: Handlers },
  who: Identity,
  request: { readonly method: string; readonly path: string; readonly params: RawParams },
): Promise<Dispatched> {
  const match = router(request.method, request.path);
  if (match === undefined) throw new ApiError(501, `Method '${request.method} ${request.path}' not implemented`);
  if (!match.rule.tokens) {
    const text = `URI '${request.path}' not available with API token, need proper ticket.\n`;
    throw new ApiError(403, `Permission check failed (${text})\n`);
  }
  const given = merge(match, request.params);
  checkPermission(match, who, given);
  passOn(world, endpoint, match);
  if (given.node === 'localhost') given.node = endpoint.local;
  const verified = verify(given, match.rule.params);
  if ('errors' in verified) throw badParameters(verified.errors);
  const handler = handlers[`${match.rule.method} ${match.rule.path}`];
  if (handler === undefined) throw new Error(`no handler for ${match.rule.method} ${match.rule.path}`);
  try {
    const call = new Call(world, endpoint, who, verified.params, match.rule.params);
    return { result: await handler(call), protected: match.rule.protected };
  } catch (error) {
    throw error instanceof Refusal ? new ApiError(500, `${error.message}\n`) : error;
  }
}

function merge({ parts }: Match, params: RawParams): RawParams {
  for (const [name, value] of Object.entries(parts)) {
    if (params[name] !== undefined && params[name] !== value) {
      throw badParameters({ [name]: 'duplicate parameter (already defined in URI) with conflicting values!' });
    }
  }
  return { ...params, ...parts };
}

function checkPermission({ rule }: Match, who: Identity, given: RawParams): void {
  const { permission } = rule;
  if (permission === 'all' || permission === 'special') return;
  if (permission === 'root') throw new ApiError(403, 'Permission check failed (user != root@pam)\n');
  const path = permission.path.replace(/\{([^}]+)\}/g, (_, name) => String(given[name] ?? ''));
  const known = /^[A-Za-z0-9._\-/]+$/.test(path) ? path : undefined;
  if (known === undefined || !who.may(known, ...permission.any)) throw denied(known, permission.any);
}

/** A request about another node goes to that node, and may not get there (recordings z-*, e-node). */
function passOn(world: World, endpoint: Endpoint, { parts }: Match): void {
  const { node } = parts;
  if (node === undefined || node === endpoint.local || node === 'localhost') return;
  if (world.switches.offline.has(node)) throw new ProxyError(595, 'No route to host');
  if (world.switches.silent.has(node)) throw new ProxyError(596, 'Connection timed out');
  if (world.node(node) !== undefined || !/^[A-Za-z0-9-]+$/.test(node)) return;
  const why = `failed to get address info for: ${node}: Temporary failure in name resolution`;
  throw new ApiError(500, `hostname lookup '${node}' failed - ${why}\n`);
}
