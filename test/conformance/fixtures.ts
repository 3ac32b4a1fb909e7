import {
  type CallToolResult,
  completable,
  fromJsonSchema,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';

/** The smallest PNG there is: one red pixel; and the smallest WAV: a header without a sample. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const text = (said: string) => ({ type: 'text' as const, text: said });
const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' };
const embedded = (uri: string, mimeType: string, content: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType, text: content },
});
const answer = (...content: CallToolResult['content']): CallToolResult => ({ content });
const pause = () => new Promise((resolve) => setTimeout(resolve, 50));

function contentTools(mcp: McpServer): void {
  const plain = (name: string, description: string, result: CallToolResult): void => {
    mcp.registerTool(name, { description }, () => result);
  };
  plain('test_simple_text', 'Text', answer(text('This is a simple text response for testing.')));
  plain('test_image_content', 'An image', answer(image));
  plain('test_audio_content', 'Sound', answer({ type: 'audio', data: WAV, mimeType: 'audio/wav' }));
  const resource = embedded('test://embedded-resource', 'text/plain', 'This is an embedded resource content.');
  plain('test_embedded_resource', 'A resource', answer(resource));
  const mixed = embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}');
  plain('test_multiple_content_types', 'All', answer(text('Multiple content types test:'), image, mixed));
  plain('test_error_handling', 'An error', {
    ...answer(text('This tool intentionally returns an error for testing')),
    isError: true,
  });
  const address = { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } };
  const inputSchema = fromJsonSchema({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address },
    properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
    additionalProperties: false,
  });
  mcp.registerTool('json_schema_2020_12_tool', { description: 'Words of JSON Schema 2020-12', inputSchema }, () =>
    answer(text('ok')),
  );
}

function tellingTools(mcp: McpServer): void {
  mcp.registerTool('test_tool_with_logging', { description: 'Logs' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'Tool execution started');
    await pause();
    await ctx.mcpReq.log('info', 'Tool processing data');
    await pause();
    await ctx.mcpReq.log('info', 'Tool execution completed');
    return answer(text('Logged.'));
  });
  mcp.registerTool('test_tool_with_progress', { description: 'Tells how far it is' }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined) {
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        });
      }
      await pause();
    }
    return answer(text('Done.'));
  });
}

type Form = Parameters<typeof inputRequired.elicit>[0]['requestedSchema'];

/** Asks once; when the answer is there, tells it. */
function asking(ctx: ServerContext, message: string, requestedSchema: Form, said: string) {
  const reply = inputResponse(ctx.mcpReq.inputResponses, 'form');
  if (reply.kind !== 'elicit') {
    return inputRequired({ inputRequests: { form: inputRequired.elicit({ message, requestedSchema }) } });
  }
  return answer(text(`${said}: action=${reply.action}, content=${JSON.stringify(reply.content ?? {})}`));
}

function askingTools(mcp: McpServer): void {
  const message = { description: 'Asks', inputSchema: z.object({ message: z.string() }) };
  mcp.registerTool('test_elicitation', message, (args, ctx) => {
    const person = {
      type: 'object' as const,
      properties: {
        username: { type: 'string' as const, description: "User's response" },
        email: { type: 'string' as const, description: "User's email address" },
      },
      required: ['username', 'email'],
    };
    return asking(ctx, args.message, person, 'User response');
  });
  const defaults = { description: 'Asks with defaults' };
  mcp.registerTool('test_elicitation_sep1034_defaults', defaults, (ctx) =>
    asking(ctx, 'Look at the defaults', formWithDefaults, 'Elicitation completed'),
  );
  const choices = { description: 'Asks with choices' };
  mcp.registerTool('test_elicitation_sep1330_enums', choices, (ctx) =>
    asking(ctx, 'Choose', formWithChoices, 'Elicitation completed'),
  );
  const prompt = { description: 'Samples', inputSchema: z.object({ prompt: z.string() }) };
  mcp.registerTool('test_sampling', prompt, (args, ctx) => {
    const reply = inputResponse(ctx.mcpReq.inputResponses, 'sample');
    if (reply.kind === 'sampling') {
      const { content } = reply.result;
      const [first] = Array.isArray(content) ? content : [content];
      return answer(text(`LLM response: ${first?.type === 'text' ? first.text : ''}`));
    }
    const messages = [{ role: 'user' as const, content: text(args.prompt) }];
    return inputRequired({ inputRequests: { sample: inputRequired.createMessage({ messages, maxTokens: 100 }) } });
  });
}

const formWithDefaults: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
};

const options = ['option1', 'option2', 'option3'];
const titled = ['First', 'Second', 'Third'].map((title, i) => ({ const: `value${i + 1}`, title: `${title} Option` }));

const formWithChoices: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
};

function resources(mcp: McpServer): void {
  const plain = { description: 'A text', mimeType: 'text/plain' };
  mcp.registerResource('text', 'test://static-text', plain, ({ href: uri }) => ({
    contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  }));
  const binary = { description: 'An image', mimeType: 'image/png' };
  mcp.registerResource('image', 'test://static-binary', binary, ({ href: uri }) => ({
    contents: [{ uri, mimeType: 'image/png', blob: PNG }],
  }));
  mcp.registerResource('watched', 'test://watched-resource', plain, ({ href: uri }) => ({
    contents: [{ uri, mimeType: 'text/plain', text: 'Watched.' }],
  }));
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  mcp.registerResource('data', template, { description: 'Data' }, ({ href: uri }, { id }) => ({
    contents: [
      {
        uri,
        mimeType: 'application/json',
        text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
      },
    ],
  }));
  mcp.server.setRequestHandler('resources/subscribe', () => ({}));
  mcp.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

function prompts(mcp: McpServer): void {
  const said = (...content: ReturnType<typeof text | typeof embedded>[]) => ({
    messages: content.map((part) => ({ role: 'user' as const, content: part })),
  });
  mcp.registerPrompt('test_simple_prompt', { description: 'Simple' }, () =>
    said(text('This is a simple prompt for testing.')),
  );
  const word = completable(z.string(), (typed) => ['paris', 'park', 'party'].filter((one) => one.startsWith(typed)));
  const two = { description: 'Two arguments', argsSchema: z.object({ arg1: word, arg2: z.string() }) };
  mcp.registerPrompt('test_prompt_with_arguments', two, ({ arg1, arg2 }) =>
    said(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)),
  );
  const one = { description: 'A resource', argsSchema: z.object({ resourceUri: z.string() }) };
  mcp.registerPrompt('test_prompt_with_embedded_resource', one, ({ resourceUri }) =>
    said(
      embedded(resourceUri, 'text/plain', 'Embedded resource content for testing.'),
      text('Please process the embedded resource above.'),
    ),
  );
  mcp.registerPrompt('test_prompt_with_image', { description: 'An image' }, () => ({
    messages: [
      { role: 'user', content: image },
      { role: 'user', content: text('Please analyze the image above.') },
    ],
  }));
}

/** A server of everything that the conformance suite asks for by name. */
export function fixtureServer(): McpServer {
  const capabilities = { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {}, completions: {} };
  const mcp = new McpServer({ name: 'conformance', version: '1' }, { capabilities });
  for (const add of [contentTools, tellingTools, askingTools, resources, prompts]) add(mcp);
  return mcp;
}
