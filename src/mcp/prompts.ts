import {
  type ContentBlock,
  INVALID_PARAMS,
  type Prompt,
  ProtocolError,
  type Server,
} from '@modelcontextprotocol/server';
import { reaches } from '../toolsets/tool.ts';
import { guestName } from './completion.ts';
import { auditContents } from './resources.ts';
import { type Runbook, runbooks } from './runbooks.ts';
import type { Edge } from './server.ts';

const described = ({ name, title, description, guest }: Runbook): Prompt => ({
  name,
  title,
  description,
  arguments: guest ? [{ name: 'guest', description: 'VMID or name', required: true }] : [],
});

/** Serves the runbooks that the chosen tools can follow. */
export function servePrompts(
  server: Server,
  { setup, present, recent }: Pick<Edge, 'setup' | 'present' | 'recent'>,
): void {
  const offered = runbooks.filter(({ toolsets }) => toolsets.every((one) => reaches(setup.toolsets, one)));
  const listed = offered.map(described);

  server.setRequestHandler('prompts/list', () => ({ prompts: listed }));

  server.setRequestHandler('prompts/get', async ({ params: { name, arguments: given = {} } }) => {
    const runbook = offered.find((one) => one.name === name);
    if (!runbook) {
      const known = offered.map((one) => one.name).join(', ');
      throw new ProtocolError(INVALID_PARAMS, `There is no prompt ${present.line(name)}; there are ${known}.`);
    }
    const guest = present.line(given.guest?.trim() ?? '');
    if (runbook.guest && !guestName.test(guest)) {
      throw new ProtocolError(INVALID_PARAMS, `${name} needs the guest that it is about: a VMID or a name.`);
    }
    const content: ContentBlock[] = [{ type: 'text', text: runbook.text(guest) }];
    if (runbook.audit) content.push({ type: 'resource', resource: await auditContents({ recent, present }) });
    const messages = content.map((one) => ({ role: 'user' as const, content: one }));
    return { description: runbook.description, messages };
  });
}
