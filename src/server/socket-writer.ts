import process from 'node:process';
import type { Duplex } from 'node:stream';
import { CLOSE } from './close-code.ts';
import type { SocketSession } from './socket-session.ts';

/** Bytes that may wait in a socket before those who write to it wait for its reader. */
const AHEAD_BYTES_MAX = 64 * 1024;

/** A message, and the whole frame that carries it where that is known to be one byte per character; see socket-frame.ts. */
export type Framed = { readonly message: string; readonly frame: string | null };

/**
 * One WebSocket's way out. What is sent in one turn of the loop goes out in one write, as each write costs the kernel more than the
 * message in it cost us. A frame that many are sent is made once, and goes past `ws` while that would do nothing but make it again.
 *
 * A writer has nothing to wait for while little is ahead of it, so that a stream gets several events into a turn; beyond that a promise
 * resolves when the system has taken the message, so that a stream goes at the pace of its reader.
 */
export class SocketWriter {
  readonly #session: Pick<SocketSession, 'ws' | 'close'>;
  readonly #socket: Duplex;
  readonly #stallTimeoutMs: number;
  #isCorked = false;
  /** When the system last took a message. */
  #takenAt = 0;
  #stallTimer: NodeJS.Timeout | undefined;

  /** `socket`: the connection below, as the upgrade handed it over. A reader that takes nothing for `stallTimeoutMs`, while something waits for it, is closed. */
  constructor(session: Pick<SocketSession, 'ws' | 'close'>, socket: Duplex, stallTimeoutMs: number) {
    this.#session = session;
    this.#socket = socket;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  write({ message, frame }: Framed): Promise<void> | undefined {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(uncork, this); // Runs when all that this turn has set going by promises is done.
    }
    if (this.#session.ws.bufferedAmount + message.length <= AHEAD_BYTES_MAX) {
      this.#send(message, frame, this.#taken);
      return undefined;
    }
    if (this.#stallTimer === undefined) {
      this.#taken();
      this.#watch(0);
    }
    return new Promise((done) =>
      this.#send(message, frame, () => {
        this.#taken();
        done();
      }),
    );
  }

  /** Called by a function that all writers share. */
  uncork(): void {
    this.#isCorked = false;
    this.#socket.uncork();
  }

  /** Frames with an extension look different, none may follow the one that closes, and a socket that is destroyed takes none. */
  #send(message: string, frame: string | null, taken: () => void): void {
    const { ws } = this.#session;
    if (frame !== null && ws.readyState === ws.OPEN && ws.extensions === '' && this.#socket.writable) {
      this.#socket.write(frame, 'latin1', taken);
    } else ws.send(message, taken);
  }

  readonly #taken = (): void => {
    this.#takenAt = performance.now();
  };

  /** There is a timer only while something waits. */
  #watch(sinceMs: number): void {
    const { ws } = this.#session;
    this.#stallTimer = setTimeout(() => {
      this.#stallTimer = undefined;
      if (ws.readyState !== ws.OPEN || ws.bufferedAmount === 0) return;
      const idleMs = performance.now() - this.#takenAt;
      if (idleMs >= this.#stallTimeoutMs) this.#session.close(CLOSE.tooSlow);
      else this.#watch(idleMs);
    }, this.#stallTimeoutMs - sinceMs).unref();
  }
}

function uncork(writer: SocketWriter): void {
  writer.uncork();
}
