import type { Method } from './rules/parse.ts';

export interface Match {
  readonly rule: Method;
  /** The variable parts of the path, decoded. */
  readonly parts: Readonly<Record<string, string>>;
}

export type Router = (method: string, path: string) => Match | undefined;

/**
 * Finds the method of a path. A volume id may hold slashes, so `{volume}` takes all that is left; empty parts are
 * skipped (PVE::RESTHandler::find_handler).
 */
export function routerFor(methods: readonly Method[]): Router {
  const routes = methods.map((rule) => {
    const names = [...rule.path.matchAll(/\{([^}]+)\}/g)].map((found) => found[1] ?? '');
    const pattern = rule.path.replace(/\{([^}]+)\}/g, (_, name) => (name === 'volume' ? '(.+)' : '([^/]+)'));
    return { rule, names, pattern: new RegExp(`^${pattern}$`) };
  });
  return (method, written) => {
    const path = written.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
    for (const { rule, names, pattern } of routes) {
      const found = rule.method === method ? pattern.exec(path) : null;
      if (found) return { rule, parts: Object.fromEntries(names.map((name, i) => [name, found[i + 1] ?? ''])) };
    }
    return undefined;
  };
}
