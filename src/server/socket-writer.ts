import process from 'node:process';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

export type SocketWriterDependencies = {
  readonly ws: WebSocket;
  /** The connection below it, as the upgrade handed it over. */
  readonly socket: Duplex;
};

/** Bytes that may wait in a socket before those who write to it wait for its reader. */
const AHEAD_BYTES_MAX = 64 * 1024;

const SENT = Promise.resolve();

/**
 * One WebSocket's way out. What is sent in one turn of the loop goes out in one write, as each write costs the kernel more than the
 * message in it cost us.
 *
 * The promise resolves at once while little waits, so that a stream gets several events into a turn; beyond that when the system has
 * taken the message, so that a stream goes at the pace of its reader.
 */
export function createSocketWriter({ ws, socket }: SocketWriterDependencies): (message: string) => Promise<void> {
  let isCorked = false;

  function uncork(): void {
    isCorked = false;
    socket.uncork();
  }

  return (message) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(uncork); // Runs when all that this turn has set going by promises is done.
    }
    if (ws.bufferedAmount + message.length > AHEAD_BYTES_MAX) return new Promise((done) => ws.send(message, () => done()));
    ws.send(message);
    return SENT;
  };
}
