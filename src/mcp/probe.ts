/** How to start an MCP server over stdio. `env` is all that it gets, besides PATH, HOME and the like. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One call's answer: its text, and whether it is a failure. */
export interface ProbeAnswer {
  readonly text: string;
  readonly failed: boolean;
}

/** A connected MCP client that started its server itself. */
export interface Probe {
  /** Name and version, as the server tells them. */
  readonly server: string;
  readonly protocol: string;
  /** Names of the tools there are. */
  tools(): Promise<readonly string[]>;
  call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    onProgress?: (message: string) => void,
  ): Promise<ProbeAnswer>;
  /** What the server wrote to stderr so far. */
  stderr(): string;
  /** Ends the server too. */
  close(): Promise<void>;
}

/** Longer than any call of ours waits. */
const TIMEOUT_MS = 120_000;

/**
 * Connects the official client to the server that `launch` starts. What the server asks a human is put to `asked`, which
 * says yes or no; without it the client is one that cannot ask. Rejects with the SDK's error when there is no MCP server.
 */
export async function probe(launch: Launch, asked?: (message: string) => boolean | Promise<boolean>): Promise<Probe> {
  const [{ Client }, { StdioClientTransport }] = await Promise.all([
    import('@modelcontextprotocol/client'),
    import('@modelcontextprotocol/client/stdio'),
  ]);
  const capabilities = asked ? { elicitation: { form: {} } } : {};
  const client = new Client(
    { name: 'proxmox-ssh-mcp-probe', version: '1' },
    { capabilities, versionNegotiation: { mode: 'auto' } },
  );
  if (asked) {
    client.setRequestHandler('elicitation/create', async ({ params }) =>
      (await asked(params.message)) ? { action: 'accept', content: { confirm: true } } : { action: 'decline' },
    );
  }
  const { command, args, env } = launch;
  const transport = new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'pipe' });
  const written: Buffer[] = [];
  transport.stderr?.on('data', (chunk: Buffer) => written.push(chunk));
  await client.connect(transport);
  const { name = 'unknown', version = '' } = client.getServerVersion() ?? {};
  return {
    server: `${name} ${version}`.trim(),
    protocol: client.getNegotiatedProtocolVersion() ?? 'unknown',
    tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
    async call(tool, toolArguments, onProgress) {
      const onprogress = ({ message = '' }: { message?: string }): void => {
        // The SDK tells of a question by a progress of its own making.
        if (message !== '' && !message.startsWith('Fulfilling input')) onProgress?.(message);
      };
      const options = { timeout: TIMEOUT_MS, ...(onProgress ? { onprogress } : {}) };
      const { content, isError } = await client.callTool({ name: tool, arguments: { ...toolArguments } }, options);
      const texts = content.map((part) => (part.type === 'text' ? part.text : `(${part.type})`));
      return { text: texts.join('\n'), failed: isError === true };
    },
    stderr: () => Buffer.concat(written).toString('utf8'),
    close: () => client.close(),
  };
}
