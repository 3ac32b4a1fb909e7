import type { GuestRef } from '../world/operations.ts';
import type { By, DemoNode, Guest, World } from '../world.ts';
import { ApiError, denied } from './errors.ts';
import type { Identity } from './identity.ts';
import type { Rule } from './rules/parse.ts';
import type { Params } from './verify.ts';

/** What the API knows of itself. */
export interface Endpoint {
  readonly fingerprint: string;
  readonly certificatePem: string;
  /** The node that answers. */
  readonly local: string;
}

/**
 * More than `data`: `total` beside it unless it is 0 (recording n-tasks), plain text instead, or a body that is always
 * gzipped.
 */
export class Reply {
  constructor(
    readonly data: unknown,
    readonly more: { readonly total?: number; readonly gzip?: boolean; readonly text?: boolean } = {},
  ) {}
}

/** One verified call. The getters are for parameters that the rules have checked. */
export class Call {
  constructor(
    readonly world: World,
    readonly endpoint: Endpoint,
    readonly who: Identity,
    readonly params: Params,
    /** The rules that the parameters passed. */
    readonly rules: Readonly<Record<string, Rule>>,
  ) {}

  get by(): By {
    return { user: this.who.user, tokenid: this.who.tokenid };
  }

  has(name: string): boolean {
    return this.params[name] !== undefined;
  }

  text(name: string, otherwise = ''): string {
    const value = this.params[name];
    return value === undefined ? otherwise : String(value);
  }

  int(name: string, otherwise = 0): number {
    const value = this.params[name];
    return value === undefined ? otherwise : Number(value);
  }

  flag(name: string): boolean {
    return this.params[name] === true;
  }

  list(name: string): readonly string[] {
    const value = this.params[name];
    return Array.isArray(value) ? value : [];
  }

  get node(): DemoNode {
    const node = this.world.node(this.text('node'));
    if (node === undefined) throw new ApiError(500, `no such cluster node '${this.text('node')}'\n`);
    return node;
  }

  ref(kind: Guest['kind']): GuestRef {
    return { node: this.text('node'), kind, vmid: this.int('vmid') };
  }

  guest(kind: Guest['kind']): Guest {
    return this.world.at(this.ref(kind));
  }

  /** Refuses unless the caller has any of the privileges on the path. */
  require(path: string, ...any: string[]): void {
    if (!this.who.may(path, ...any)) throw denied(path, any);
  }

  /** Refuses as pmxcfs does when the cluster has no quorum. */
  requireQuorum(): void {
    if (!this.world.switches.quorate) throw new ApiError(500, 'cluster not ready - no quorum?\n');
  }
}

export type Handler = (call: Call) => unknown;
export type Handlers = Readonly<Record<string, Handler>>;

/** The same handler for containers and VMs; `K` in the key stands for lxc or qemu. */
export const forBoth = (table: Readonly<Record<string, (call: Call, kind: Guest['kind']) => unknown>>): Handlers =>
  Object.fromEntries(
    Object.entries(table).flatMap(([key, handler]) =>
      (['lxc', 'qemu'] as const).map((kind) => [key.replace('/K', `/${kind}`), (call: Call) => handler(call, kind)]),
    ),
  );
