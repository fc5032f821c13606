import { Socket } from 'node:net';

/**
 * The driver takes all its listeners off a socket that has closed. Should a write that was under way fail after that, its error would
 * find nobody and end the process; here it finds somebody who knows that the connection is gone.
 *
 * Between the error of a socket and its close the driver may give the connection another statement, and when it closes because of an
 * error, it takes all of its statements for told by that: this one would wait forever. It also counts such closes of all its connections
 * together, and waits exponentially longer with each, up to 20 seconds: after ten that were cut at once, for a database that is there.
 * So a close is never told to be because of an error. A database that is not there is DatabaseWatch's affair.
 */
class DriverSocket extends Socket {
  constructor() {
    super();
    this.on('error', ignore);
  }

  override emit(event: string | symbol, ...words: unknown[]): boolean {
    return event === 'close' ? super.emit('close', false) : super.emit(event, ...words);
  }

  override removeAllListeners(event?: string | symbol): this {
    super.removeAllListeners(event);
    return this.on('error', ignore);
  }
}

function ignore(): void {}

export type DriverSocketOptions = {
  readonly path?: string | false | undefined;
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly sslnegotiation?: string | undefined;
};

/** The driver speaks first, and at once. */
const MUTE_MS = 100;

/**
 * Makes the driver's sockets. They are handed over while they connect; what is written before that waits. Several hosts take turns.
 *
 * `onMute`: on one of them the driver says nothing. A connection that is given a statement in the very turn in which it closes takes back
 * what was to be written, and believes for ever that it will be: that one will never say anything again, on no socket.
 */
export function createSocketFactory(onMute: () => void = ignore): (options: DriverSocketOptions) => Socket {
  let turn = 0;
  return ({ path, host, port, sslnegotiation }) => {
    const socket = new DriverSocket();
    const look = () => socket.bytesWritten > 0 || socket.destroyed || onMute();
    // Encryption from the first byte on goes past the socket's own account of what was written.
    if (sslnegotiation !== 'direct') setTimeout(() => setImmediate(look), MUTE_MS).unref();
    if (typeof path === 'string' && path !== '') return socket.connect(path);
    const index = turn % host.length;
    turn += 1;
    return socket.connect(port[index] ?? 5432, host[index] ?? 'localhost');
  };
}
