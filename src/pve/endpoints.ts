import { Failure } from '../failure.ts';
import type { Method } from './errors.ts';
import type { Sent, Wire, WireFault } from './wire.ts';

type Lost = WireFault & { readonly endpoint: string };

/**
 * Several endpoints of one cluster as one wire, which names the one that it asks first: at the beginning the first,
 * then the one that answered last. When one does not answer, the next is asked: with a GET in any case, with a write
 * only while no byte of it has left. A certificate that is not trusted is told, never gone around: somebody may be in
 * between.
 */
export function createEndpoints(wires: readonly [Wire, ...Wire[]]): Wire {
  let first: Wire = wires[0];
  const after = (wire: Wire): Wire => wires[(wires.indexOf(wire) + 1) % wires.length] ?? wires[0];
  return {
    get endpoint() {
      return first.endpoint;
    },
    async send(request) {
      const deadline = performance.now() + request.timeoutMs;
      const lost: Lost[] = [];
      for (let wire = first; lost.length < wires.length; wire = after(wire)) {
        const { endpoint } = wire;
        const timeoutMs = deadline - performance.now();
        const sent: Sent & { readonly endpoint: string } = {
          ...(await wire.send({ ...request, timeoutMs })),
          endpoint,
        };
        if (!('failure' in sent)) {
          first = wire;
          return sent;
        }
        if (!unanswered(sent)) return sent;
        if (first === wire) first = after(wire);
        if (!mayBeAskedOfAnother(sent, request.method)) return sent;
        lost.push(sent);
        if (deadline - performance.now() < leastMs) break;
      }
      return together(lost);
    },
    async close() {
      await Promise.all(wires.map((wire) => wire.close()));
    },
  };
}

/** In less time nobody could answer, and its silence would be told as a fault of its own. */
const leastMs = 50;

const unanswered = ({ failure: { kind } }: WireFault): boolean => kind === 'unreachable' || kind === 'timeout';

const mayBeAskedOfAnother = ({ left }: WireFault, method: Method): boolean => method === 'GET' || !left;

/** What is told when none of them answered. */
function together(lost: readonly Lost[]): Sent {
  const [one, ...others] = lost;
  if (one === undefined) throw new Error('no endpoint was asked');
  if (others.length === 0) return one;
  const cause = lost.map((fault) => `${fault.endpoint}: ${fault.cause}`).join('; ');
  const { kind, hint } = one.failure;
  const failure = new Failure(kind, `No usable answer from any endpoint. ${cause}.`, hint, { cause: one.failure });
  return { failure, cause, transient: lost.some(({ transient }) => transient), left: lost.some(({ left }) => left) };
}
