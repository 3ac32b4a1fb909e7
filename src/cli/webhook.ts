import { join } from 'node:path';
import { hooksOf, hostsOf, pvesOf } from '../clients.ts';
import type { Inventory } from '../config/inventory.ts';
import type { Loaded } from '../config/load.ts';
import { urlInShort } from '../hooks/address.ts';
import { Box } from '../hooks/box.ts';
import { TIMEOUT_MS } from '../hooks/courier.ts';
import type { HooksOptions } from '../hooks/hooks.ts';
import { headersOf, messageOf } from '../hooks/message.ts';
import { keyOf } from '../hooks/office.ts';
import { type Sent, send } from '../hooks/send.ts';
import { createRedact } from '../present/redact.ts';
import { count, duration } from '../toolsets/format.ts';
import { type Check, failed, ok, warning } from './check.ts';
import { type Flags, ground, loadHere, version } from './surroundings.ts';
import { say, warn } from './terminal.ts';

/** A URL that is set, and the hosts that it is the webhook of; none for the one that is told of everything. */
interface Webhook {
  readonly url: string;
  readonly hosts: readonly string[];
}

function webhooksOf({ url, ofHosts }: HooksOptions): Webhook[] {
  const own = [...ofHosts()];
  const urls = new Set([...(url ? [url.reveal()] : []), ...own.map(([, one]) => one)]);
  return [...urls].map((one) => ({ url: one, hosts: own.flatMap(([host, of]) => (of === one ? [host] : [])) }));
}

/** Posts one event to every URL that is set, and tells what came back. Exits with 1 unless all of them took it. */
export async function testWebhooks(flags: Flags): Promise<void> {
  const loaded = loadHere(flags);
  const pves = pvesOf(loaded, () => ({ readOnly: true }));
  const options = hooksOf(loaded, hostsOf(loaded, pves, ground()), { version, redact: createRedact(loaded.secrets) });
  for (const { cause, cure } of loaded.problems) warn(`${cause} ${cure}`);
  const webhooks = webhooksOf(options);
  if (webhooks.length === 0) warn('No webhook is set. Set MCP_WEBHOOK_URL, or "webhook" of a host.');
  const took = await Promise.all(webhooks.map((one) => testOne(one, options)));
  if (webhooks.length === 0 || took.includes(false)) process.exitCode = 1;
}

async function testOne({ url, hosts }: Webhook, options: HooksOptions): Promise<boolean> {
  const { secret, redact, folder } = options;
  if (!secret) {
    warn(`${urlInShort(url)}: nothing is posted without MCP_WEBHOOK_SECRET.`);
    return false;
  }
  const message = messageOf({ type: 'webhook.test', data: {}, hosts }, version, redact);
  const began = performance.now();
  const headers = headersOf(message, secret, version, Date.now());
  const sent = await send(url, headers, message.body, { ...options, timeoutMs: TIMEOUT_MS });
  const took = isTaken(sent);
  const ms = Math.round(performance.now() - began);
  say(`${urlInShort(url)}: ${sent.status === undefined ? sent.trouble : `HTTP ${sent.status} after ${ms} ms`}`);
  if (took) await new Box(join(folder, keyOf(url))).put({ failures: 0, nextAt: 0, deliveredAt: Date.now() });
  return took;
}

const isTaken = ({ status = 0 }: Sent): boolean => status >= 200 && status < 300;

/** How deliveries went, by what is noted of them; nothing is posted. */
export async function* webhookChecks(
  loaded: Loaded,
  inventory: Pick<Inventory, 'webhooks'>,
): AsyncGenerator<Check, void, undefined> {
  const options = hooksOf(loaded, inventory, { version, redact: String });
  for (const webhook of webhooksOf(options)) yield checkOf(webhook, options);
}

const ago = (at: number): string => `${duration((Date.now() - at) / 1000)} ago`;

async function checkOf({ url, hosts }: Webhook, { folder, secret }: HooksOptions): Promise<Check> {
  const name = hosts.length === 0 ? 'webhook' : `webhook of ${hosts.join(', ')}`;
  const box = new Box(join(folder, keyOf(url)));
  const [state, waiting, dropped] = await Promise.all([box.state(), box.names(), box.dropped()]);
  const { stoppedAt, deliveredAt, failures, failedAt = 0, trouble } = state;
  const says = [
    urlInShort(url),
    deliveredAt === undefined ? 'nothing was delivered yet' : `last delivery ${ago(deliveredAt)}`,
    `${waiting.length} waiting`,
    ...(dropped > 0 ? [`${dropped} given up`] : []),
    ...(failures > 0 ? [`failed ${count(failures, 'time')} in a row, last ${ago(failedAt)}: ${trouble}`] : []),
  ].join('; ');
  if (stoppedAt !== undefined) {
    const cure = 'Take the URL out, or let "proxmox-ssh-mcp webhook test" begin anew.';
    return failed(name, `${says}; stopped ${ago(stoppedAt)}, because the receiver said that it is gone.`, cure);
  }
  if (!secret) return warning(name, says, 'Nothing is posted until MCP_WEBHOOK_SECRET is set.');
  return failures > 0 ? warning(name, says, 'Try it with: proxmox-ssh-mcp webhook test') : ok(name, says);
}
