import { httpToken } from '../config/httptoken.ts';
import { tlsFiles } from '../config/tlsfiles.ts';
import { asFailure } from '../failure.ts';
import { calledAs } from './claude.ts';
import { type Flags, ground, httpGround, loadHere, version } from './surroundings.ts';
import { warn } from './terminal.ts';

/** Where to listen, and whether the operator says that others may come there. */
export interface HttpFlags {
  readonly address: string;
  readonly understood: boolean;
}

/** Serves MCP over HTTP. A wrong setting is told by the tools; without a safe place to listen it ends with exit code 2. */
export async function serveHttp(flags: Flags, { address, understood }: HttpFlags): Promise<void> {
  const loaded = loadHere(flags);
  for (const { cause, cure } of loaded.problems) warn(`${cause} ${cure}`);
  try {
    const around = httpGround();
    const [{ startHttp }, { placeOf }] = await Promise.all([import('../app.ts'), import('../mcp/http/place.ts')]);
    const place = placeOf(address, { tls: tlsFiles(loaded, around), understood });
    const file = loaded.httpTokenFile;
    const url = await startHttp(
      loaded,
      { version, warn, ...ground(), uid: process.getuid?.(), calledAs },
      place,
      httpToken(file, around.uid),
    );
    warn(`Serving MCP on ${url} for clients that send the bearer token in ${file}.`);
  } catch (error) {
    const { message, hint } = asFailure(error);
    warn(`${message} ${hint}`);
    process.exit(2);
  }
}
