import { z } from 'zod';
import { Failure } from '../../failure.ts';
import { type Answer, answer, type Facts } from '../../present/answer.ts';
import type { ApiMethod } from '../../pve/apidoc.ts';
import { type Found, findPath, segmentsOf } from '../../pve/apipath.ts';
import { checkParams, type GivenParams, methodAt } from '../../pve/check.ts';
import type { PveParams } from '../../pve/client.ts';
import { check, guestsNamed } from '../../pve/guard.ts';
import { type Guest, listGuests } from '../../pve/guests.ts';
import { pathOf } from '../../pve/path.ts';
import { parseUpid } from '../../pve/upid.ts';
import { quote } from '../../ssh/quote.ts';
import { apiParams, apiPath, waitSeconds } from '../params.ts';
import { definePveTool, type Preview, settingsOf, type ToolContext } from '../tool.ts';
import { dataFacts, shownValue } from './api-data.ts';
import { brief } from './api-words.ts';
import { settle } from './settle.ts';

const input = {
  method: z.enum(['POST', 'PUT', 'DELETE']).describe('POST creates or acts, PUT changes.'),
  path: apiPath,
  params: apiParams.optional(),
  wait_s: waitSeconds.optional(),
};
type Input = z.infer<z.ZodObject<typeof input>>;

interface Planned {
  readonly found: Found;
  readonly method: ApiMethod;
  readonly sent: PveParams;
  /** Whom it concerns, as far as that can be seen. */
  readonly guests: readonly Guest[];
}

/** The call as it would be sent; refused where the schema, the settings or the wire would refuse it. */
async function plan({ method: verb, path, params = {} }: Input, context: ToolContext): Promise<Planned> {
  const { protectedGuests } = context.setup;
  const found = findPath(await context.schema(), path);
  const method = methodAt(found, verb);
  refuseNewSecret(found, verb, params);
  const sent = checkParams(found, method, params);
  check({ readOnly: false, protectedGuests: new Set(protectedGuests) }, verb, found.path, sent);
  const guests = await guestsOf(found, sent, context);
  const kept = guests.find(({ vmid }) => protectedGuests.includes(vmid));
  if (kept) throw reached(kept, context);
  return { found, method, sent, guests };
}

const reached = ({ label }: Guest, { setup }: ToolContext): Failure =>
  new Failure(
    'refused',
    `${label} is protected by the operator's settings, and this would reach it.`,
    `Only the operator can lift this, by taking it out of ${settingsOf(setup).protectedGuests}; it may also be moved to another node.`,
  );

/** The secret of a new token is told once, in the answer, where a model and a log would read it. */
function refuseNewSecret({ template, values }: Found, verb: string, params: GivenParams): void {
  if (template !== '/access/users/{userid}/token/{tokenid}') return;
  if (verb === 'DELETE' || (verb === 'PUT' && params.regenerate === undefined)) return;
  throw new Failure(
    'refused',
    'The secret of a new API token would be told in the answer, where it must not be.',
    `On the host: pveum user token add ${values.userid} ${values.tokenid}`,
  );
}

/**
 * Guests that the request names, as far as they are there; those that run on a node that is to go down. `localhost` is
 * whichever node answers (pve-manager, PVE/HTTPServer.pm, rest_handler), so that it may be any of them.
 */
async function guestsOf(found: Found, sent: PveParams, { pve, signal }: ToolContext): Promise<Guest[]> {
  const named = guestsNamed(found.path, sent);
  const wholeNode = found.template === '/nodes/{node}/status';
  if (named.length === 0 && !wholeNode) return [];
  const guests = await listGuests(pve, { signal });
  const down = found.values.node?.toLowerCase();
  const goesDown = (node: string): boolean => down === 'localhost' || node.toLowerCase() === down;
  if (wholeNode) return guests.filter(({ node, status }) => status === 'running' && goesDown(node));
  return guests.filter(({ vmid }) => named.includes(vmid));
}

const told = ({ label, status }: Guest): string => `${label}, ${status}`;

function preview({ found, method, sent, guests }: Planned): Preview {
  const about = brief(method.description, 300);
  const lines = [
    `${method.method} ${found.path}`,
    ...(about ? [`Proxmox VE says of it: ${about}.`] : []),
    ...Object.entries(sent).map(([name, value]) => `  ${name} = ${shownValue(found.path, name, value)}`),
    ...(guests.length > 0 ? [`Guests concerned: ${guests.map(told).join('; ')}.`] : []),
    'What it does cannot be foreseen here, and may not be undone.',
  ];
  return { message: lines.join('\n'), state: { guests: guests.map(told) } };
}

const isUpid = (data: unknown): data is string => {
  try {
    return typeof data === 'string' && parseUpid(data) !== undefined;
  } catch {
    return false;
  }
};

async function send({ found, method, sent }: Planned, { pve, signal }: ToolContext): Promise<unknown> {
  if (method.method === 'POST') return pve.post(found.path, sent, { signal });
  return method.method === 'PUT' ? pve.put(found.path, sent, { signal }) : pve.delete(found.path, sent, { signal });
}

async function run(input: Input, context: ToolContext): Promise<Answer> {
  const planned = await plan(input, context);
  const data = await send(planned, context);
  const what = `${input.method} ${planned.found.path}`;
  if (!isUpid(data)) {
    const facts: Facts = data === null ? {} : dataFacts(planned.found.path, data, { limit: 50 });
    return answer(`${what}: done`, facts);
  }
  const { done, facts } = await settle(context, data, input.wait_s);
  return answer(`${what}: ${done ? 'its task is done' : 'its task is still running'}`, facts);
}

export default definePveTool({
  name: 'pve_api_call',
  title: 'Change anything through the Proxmox VE API',
  effect: 'destroy',
  core: true,
  summary:
    'POST, PUT or DELETE any path of the Proxmox VE API, for what no other tool does; pve_api_search tells paths ' +
    'and parameters. Checked against the schema of the server, then sent once.',
  search:
    'raw rest endpoint request pvesh firewall ha users acl pools sdn replication node reboot shutdown create edit',
  input,
  // What the guest agent of a VM is told to run.
  commands: async ({ path, params: { command, 'input-data': stdin } = {} }, { ssh }) => {
    const rules = ssh.hosts.rules();
    const vm = /\/qemu\/(\d+)\/agent\/exec$/.exec(pathOf(segmentsOf(path)))?.[1];
    if (rules === undefined || vm === undefined || command === undefined) return [];
    const words = [command].flat().map(String);
    const script = words.length > 1 ? words.map(quote).join(' ') : words.join('');
    const given = stdin === undefined ? undefined : String(stdin);
    return [{ place: `vm/${vm}`, rules: rules.everywhere, script, stdin: given }];
  },
  touches: ({ path, params = {} }) => guestsNamed(pathOf(segmentsOf(path)), params),
  confirm: async (input, context) => preview(await plan(input, context)),
  run,
});
