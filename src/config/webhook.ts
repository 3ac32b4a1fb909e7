import type { Problem } from './problem.ts';
import type { Settings } from './settings.ts';

/** Why a webhook that is set would not be posted to. */
export function webhookProblems({ webhookUrl, webhookSecret, webhookHttp }: Settings): readonly Problem[] {
  if (webhookUrl === undefined) return [];
  const plain = /^\s*http:/i.test(webhookUrl.reveal());
  return [
    ...(webhookSecret === undefined
      ? [
          {
            cause: 'MCP_WEBHOOK_URL is set and MCP_WEBHOOK_SECRET is not, so no event is posted.',
            cure: 'Set it to whsec_ and, right behind it, what this prints: openssl rand -base64 32',
          },
        ]
      : []),
    ...(plain && !webhookHttp
      ? [
          {
            cause: 'MCP_WEBHOOK_URL begins with http://, so nothing is posted there.',
            cure: 'Use https://, or set MCP_WEBHOOK_HTTP=yes if it leads to this machine or a private network.',
          },
        ]
      : []),
  ];
}
