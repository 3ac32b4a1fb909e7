// The smallest server of the same SDK, unbundled: what starting costs a user at least.
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';

serveStdio(() => {
  const server = new McpServer({ name: 'hello', version: '1.0.0' });
  const config = { description: 'Says hello.', inputSchema: z.object({ name: z.string() }) };
  server.registerTool('hello', config, ({ name }) => ({ content: [{ type: 'text', text: `Hello, ${name}` }] }));
  return server;
});
