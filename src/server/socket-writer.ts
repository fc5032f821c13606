import process from 'node:process';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

export type SocketWriterDependencies = {
  readonly ws: WebSocket;
  /** The connection below it, as the upgrade handed it over. */
  readonly socket: Duplex;
  /** A reader that takes nothing for this long, while something waits for it, has stalled. */
  readonly stallTimeoutMs: number;
  readonly onStalled: () => void;
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
export function createSocketWriter({
  ws,
  socket,
  stallTimeoutMs,
  onStalled,
}: SocketWriterDependencies): (message: string) => Promise<void> {
  let isCorked = false;
  /** When the system last took a message. */
  let takenAt = 0;
  let stallTimer: NodeJS.Timeout | undefined;

  function uncork(): void {
    isCorked = false;
    socket.uncork();
  }

  function taken(): void {
    takenAt = performance.now();
  }

  /** There is a timer only while something waits. */
  function watch(sinceMs: number): void {
    stallTimer = setTimeout(() => {
      stallTimer = undefined;
      if (ws.readyState !== ws.OPEN || ws.bufferedAmount === 0) return;
      const idleMs = performance.now() - takenAt;
      if (idleMs >= stallTimeoutMs) onStalled();
      else watch(idleMs);
    }, stallTimeoutMs - sinceMs).unref();
  }

  return (message) => {
    if (!isCorked) {
      isCorked = true;
      socket.cork();
      process.nextTick(uncork); // Runs when all that this turn has set going by promises is done.
    }
    if (ws.bufferedAmount + message.length <= AHEAD_BYTES_MAX) {
      ws.send(message, taken);
      return SENT;
    }
    if (stallTimer === undefined) {
      taken();
      watch(0);
    }
    return new Promise((done) =>
      ws.send(message, () => {
        taken();
        done();
      }),
    );
  };
}
