import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Api } from '../../../src/demo/api/index.ts';

export interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Ask {
  readonly method?: string;
  /** From the root. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The content type of `body`. */
  readonly type?: string;
  readonly plainHttp?: boolean;
}

/** One request on a connection of its own, the certificate checked, nothing interpreted. */
export function ask(api: Api, { method = 'GET', path, headers = {}, body, type, plainHttp }: Ask): Promise<Answer> {
  const length =
    body === undefined || headers['Transfer-Encoding'] ? {} : { 'Content-Length': Buffer.byteLength(body) };
  const options = {
    host: api.host,
    port: api.port,
    method,
    path,
    headers: { ...headers, ...(type ? { 'Content-Type': type } : {}), ...length },
    agent: false as const,
  };
  return new Promise((resolve, reject) => {
    const request = plainHttp ? plainRequest(options) : secureRequest({ ...options, ca: api.certificatePem });
    request.on('error', reject).on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const raw = response.rawHeaders;
        const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [[name.toLowerCase(), raw[i + 1] ?? ''] as const] : []));
        const { statusCode = 0, statusMessage = '' } = response;
        const bytes = Buffer.concat(chunks);
        resolve({ status: statusCode, reason: statusMessage, headers: pairs, text: bytes.toString('utf8'), bytes });
      });
    });
    request.end(body);
  });
}

/** The Authorization header of one of the world's tokens. */
export const authorization = (token: { user: string; tokenid: string; value: string }): Record<string, string> => ({
  Authorization: `PVEAPIToken=${token.user}!${token.tokenid}=${token.value}`,
});
