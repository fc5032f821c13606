import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port of 127.0.0.1, or the path of a unix socket. */
type Target = number | string;
type Mode = 'open' | 'black-hole' | 'refusing';

/**
 * A piece of network between a client and a server, to be broken. Its own port stays the same for life; `targetPort` may change, as when
 * a server comes back elsewhere.
 */
export class TestProxy implements AsyncDisposable {
  /** A function is asked for each connection. */
  targetPort: Target | (() => Target);
  /** How many connections it has taken, those refused not counted. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #mode: Mode = 'open';
  /** A connection of an earlier generation has lost bytes and never carries any again. */
  #generation = 0;

  private constructor(server: Server, targetPort: TestProxy['targetPort']) {
    this.#server = server;
    this.targetPort = targetPort;
    server.on('connection', (socket) => this.#take(socket));
  }

  static async start(targetPort: TestProxy['targetPort']): Promise<TestProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TestProxy(server, targetPort);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // It listens by TCP.
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resets all connections there are; new ones get through. */
  cut(): void {
    for (const socket of this.#sockets) reset(socket);
  }

  /** From now on nothing gets through and nobody is told: connections stay open, new ones are accepted, bytes vanish. */
  blackHole(): void {
    this.#mode = 'black-hole';
    this.#generation += 1;
  }

  /** Resets all connections, and every new one at once. */
  refuse(): void {
    this.#mode = 'refusing';
    this.cut();
  }

  /** New connections get through again. */
  heal(): void {
    this.#mode = 'open';
  }

  #take(client: Socket): void {
    this.#hold(client);
    if (this.#mode === 'refusing') {
      reset(client);
      return;
    }
    this.connections += 1;
    if (this.#mode === 'black-hole') {
      client.resume();
      return;
    }
    const generation = this.#generation;
    const port = typeof this.targetPort === 'function' ? this.targetPort() : this.targetPort;
    const target = typeof port === 'string' ? connect(port) : connect(port, '127.0.0.1');
    this.#hold(target);
    const join = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => {
        if (generation !== this.#generation || to.write(bytes)) return;
        from.pause();
        to.once('drain', () => from.resume());
      });
      from.on('end', () => generation === this.#generation && to.end());
      from.on('close', () => generation === this.#generation && to.destroy());
    };
    join(client, target);
    join(target, client);
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {}); // A close follows.
    socket.once('close', () => this.#sockets.delete(socket));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A unix socket knows no reset. */
function reset(socket: Socket): void {
  if (socket.remotePort === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

export function startProxy(targetPort: TestProxy['targetPort']): Promise<TestProxy> {
  return TestProxy.start(targetPort);
}
