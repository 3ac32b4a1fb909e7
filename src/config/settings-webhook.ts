import { eventTypes } from '../hooks/events.ts';
import type { Setting } from './setting.ts';
import { file, listOf, webhookSecret, webhookUrl, yesNo } from './values.ts';

/** Who is told what happens. The inventory file has the webhooks of single hosts. */
export const webhookSettings = {
  webhookUrl: {
    ...webhookUrl,
    env: 'MCP_WEBHOOK_URL',
    group: 'webhooks',
    secret: true,
    says: 'URL that events are posted to; docs/webhooks.md describes them. A host may have one of its own beside it.',
    otherwise: 'none',
    example: 'https://hooks.example.com/proxmox',
  },
  webhookSecret: {
    ...webhookSecret,
    env: 'MCP_WEBHOOK_SECRET',
    group: 'webhooks',
    secret: true,
    says: 'Key that every event is signed with; without it nothing is posted. `openssl rand -base64 32` makes one.',
    otherwise: 'none',
    example: 'whsec_…',
  },
  webhookEvents: {
    ...listOf(...eventTypes),
    env: 'MCP_WEBHOOK_EVENTS',
    group: 'webhooks',
    initial: eventTypes.join(','),
    says: 'Events that are posted.',
    example: 'host.unreachable,host.recovered,task.failed',
  },
  webhookHttp: {
    ...yesNo,
    env: 'MCP_WEBHOOK_HTTP',
    group: 'webhooks',
    initial: 'no',
    says: '`MCP_WEBHOOK_URL` may begin with http://, where it leads to this machine or a private network.',
    example: 'no',
  },
  webhookCaFile: {
    ...file,
    env: 'MCP_WEBHOOK_CA_FILE',
    group: 'webhooks',
    says: "PEM file with the CA that vouches for the receivers' certificates.",
    otherwise: "Node.js's own list of CAs",
    example: '~/lab-ca.pem',
  },
} as const satisfies Record<string, Setting>;
