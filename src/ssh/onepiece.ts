import type { Socket } from 'node:net';

/**
 * Lets a connected socket send all that is written to it in one turn as one piece. ssh2 writes the length, the text and
 * the tag of a packet one by one, and without Nagle's delay each would be a segment of its own.
 */
export function inOnePiece(socket: Socket): Socket {
  const write: (...written: Parameters<Socket['write']>) => boolean = socket.write.bind(socket);
  // Not by a class of its own: `connect` puts Node's own `write` in the place of any other.
  socket.write = ((...written: Parameters<Socket['write']>) => {
    if (socket.writableCorked === 0) {
      socket.cork();
      queueMicrotask(() => socket.uncork());
    }
    return write(...written);
  }) as Socket['write'];
  return socket;
}
