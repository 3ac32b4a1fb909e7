import { createServer, type Server } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tools } from '../../src/toolsets/index.ts';
import { tally } from '../figures.ts';
import { inputsOf } from '../toolsets/requests/inputs.ts';
import { type Connected, connect } from './clients.ts';
import { type Datacentre, startDatacentre } from './datacentre.ts';

let dc: Datacentre;
let client: Connected;
/** Stands where SSH should be and counts who comes. */
let door: Server;
let visitors = 0;

beforeAll(async () => {
  dc = await startDatacentre();
  door = createServer((socket) => {
    visitors += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
  const address = door.address();
  const port = String(typeof address === 'object' ? address?.port : 0);
  const settings = { MCP_MODE: 'read-only', MCP_TOOLSETS: 'full', SSH_PORT: port, MCP_INVENTORY_FILE: 'none' };
  client = await connect('v2-2026', await dc.launch(settings), () => ({
    action: 'accept',
    content: { confirm: true },
  }));
});
afterAll(async () => {
  await client.close();
  door.close();
  await dc.stop();
});

describe('guarantee 18: read-only', () => {
  const forbidden = tools.filter(({ effect }) => effect !== 'read');

  it('lists no tool but those that read', async () => {
    const listed = new Set((await client.tools()).map(({ name }) => name));
    expect(forbidden.filter(({ name }) => listed.has(name))).toEqual([]);
    expect(listed.size).toBe(tools.length - forbidden.length);
  });

  it.each(forbidden.map((tool) => [tool.name, tool] as const))(
    '%s, called by name, leaves 0 writes on the API and 0 connections to SSH',
    async (name, tool) => {
      // Inputs that its own schema lets through: in another mode they would do.
      for (const args of fc.sample(inputsOf(tool, dc.world), 5)) {
        const result = await client.call(name, args);
        expect(result).toMatchObject({ isError: true, facts: { error: 'refused' } });
        expect(result.text).toContain('read-only');
      }
      expect(dc.writes()).toEqual([]);
      expect(visitors).toBe(0);
      tally(18, 'tools called by name', 1);
      tally(18, 'writes and connections', dc.writes().length + visitors);
    },
  );
});
