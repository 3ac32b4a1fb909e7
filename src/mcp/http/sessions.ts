import { randomUUID } from 'node:crypto';
import { type McpServer, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';

/** Sessions that are held at most; one more ends the one that was not used for longest. */
const MOST = 64;

export interface SessionParts {
  readonly build: () => McpServer;
  readonly bodyBytes: number;
  readonly tell: (error: unknown) => void;
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly server: McpServer;
}

const noSession = (): Response =>
  Response.json(
    { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'There is no such session. Begin a new one.' } },
    { status: 404 },
  );

/**
 * Serves clients of protocol 2025-11-25 and older, each in a session of its own (`Mcp-Session-Id`): without one, a
 * client could not be asked anything.
 */
export function createSessions({ build, bodyBytes, tell }: SessionParts): (request: Request) => Promise<Response> {
  /** The one used last comes last. */
  const sessions = new Map<string, Session>();
  const end = (id: string): void => {
    const session = sessions.get(id);
    sessions.delete(id);
    session?.server.close().catch(tell);
  };
  const begin = async (request: Request): Promise<Response> => {
    const server = build();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      maxRequestBodySize: bodyBytes,
      onsessioninitialized(id) {
        const [longest] = sessions.keys();
        if (sessions.size >= MOST && longest !== undefined) end(longest);
        sessions.set(id, { transport, server });
      },
      onsessionclosed: end,
    });
    await server.connect(transport);
    const response = await transport.handleRequest(request);
    if (transport.sessionId === undefined) await server.close();
    return response;
  };
  return async (request) => {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return begin(request);
    const session = sessions.get(id);
    if (!session) return noSession();
    sessions.delete(id);
    sessions.set(id, session);
    return session.transport.handleRequest(request);
  };
}
