import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A port of 127.0.0.1, or the path of a unix socket. */
type Target = number | string;
export type Direction = 'toServer' | 'toClient';
/** How slow: what each connection carries in one direction, and how late each piece of it comes. */
export type Pace = { readonly bytesPerSecond: number; readonly delayMs: number };

const BOTH: readonly Direction[] = ['toServer', 'toClient'];

/**
 * A piece of network between a client and a server, to be broken, in both directions or in one. Its own port stays the same for life;
 * `targetPort` may change, as when a server comes back elsewhere. What breaks is mended by `heal`; a connection that has lost bytes carries
 * none in that direction any more, until somebody gives it up.
 */
export class TestProxy implements AsyncDisposable {
  /** A function is asked for each connection. */
  targetPort: Target | (() => Target);
  /** How many connections it has taken, those refused not counted. */
  connections = 0;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #sockets = new Set<Socket>();
  readonly #swallowed = new Set<Direction>();
  readonly #paces = new Map<Direction, Pace>();
  #isRefusing = false;

  private constructor(server: Server, targetPort: TestProxy['targetPort']) {
    this.#server = server;
    this.targetPort = targetPort;
    server.on('connection', (socket) => this.#take(socket));
  }

  static async start(targetPort: TestProxy['targetPort']): Promise<TestProxy> {
    const server = createServer({ allowHalfOpen: true });
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
  blackHole(directions: readonly Direction[] = BOTH): void {
    for (const direction of directions) {
      this.#swallowed.add(direction);
      for (const link of this.#links) link.lose(direction);
    }
  }

  /** One end of each connection there is sees it reset. The other one believes in it, and whatever it says vanishes. New ones get through. */
  halfOpen(believer: 'client' | 'server'): void {
    for (const link of this.#links) link.halve(believer);
  }

  /** All that passes from now on, on old connections too. */
  slow(pace: Pace, directions: readonly Direction[] = BOTH): void {
    for (const direction of directions) this.#paces.set(direction, pace);
  }

  /** Resets all connections, and every new one at once. */
  refuse(): void {
    this.#isRefusing = true;
    this.cut();
  }

  /** New connections get through again, as fast as ever. */
  heal(): void {
    this.#isRefusing = false;
    this.#swallowed.clear();
    this.#paces.clear();
    for (const link of this.#links) link.mend();
  }

  #take(client: Socket): void {
    this.#hold(client);
    if (this.#isRefusing) {
      reset(client);
      return;
    }
    this.connections += 1;
    if (this.#swallowed.size === BOTH.length) {
      client.resume();
      return;
    }
    const port = typeof this.targetPort === 'function' ? this.targetPort() : this.targetPort;
    const target =
      typeof port === 'string' ? connect({ path: port, allowHalfOpen: true }) : connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.#hold(target);
    const link = new Link(client, target, (direction) => this.#paces.get(direction));
    for (const direction of this.#swallowed) link.lose(direction);
    this.#links.add(link);
    client.once('close', () => target.destroyed && this.#links.delete(link));
    target.once('close', () => client.destroyed && this.#links.delete(link));
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

/** One connection of a client, and the one to the server that it stands for. */
class Link {
  readonly #client: Socket;
  readonly #target: Socket;
  readonly #paceOf: (direction: Direction) => Pace | undefined;
  readonly #lost = new Set<Direction>();
  /** Those in which not even a close is told. */
  readonly #silent = new Set<Direction>();

  constructor(client: Socket, target: Socket, paceOf: (direction: Direction) => Pace | undefined) {
    this.#client = client;
    this.#target = target;
    this.#paceOf = paceOf;
    this.#carry('toServer', client, target);
    this.#carry('toClient', target, client);
  }

  lose(direction: Direction): void {
    this.#lost.add(direction);
    this.#silent.add(direction);
  }

  /** From now on closes are told. A server whose client has gone meanwhile finds out, as by its keepalive; a client has to ask. */
  mend(): void {
    this.#silent.clear();
    if (this.#client.destroyed) this.#target.destroy();
  }

  halve(believer: 'client' | 'server'): void {
    for (const direction of BOTH) this.lose(direction);
    reset(believer === 'client' ? this.#target : this.#client);
  }

  #carry(direction: Direction, from: Socket, to: Socket): void {
    from.on('data', (bytes) => {
      if (this.#lost.has(direction)) return;
      const pace = this.#paceOf(direction);
      if (pace !== undefined) {
        from.pause();
        setTimeout(() => this.#late(direction, from, to, bytes), pace.delayMs + (bytes.length / pace.bytesPerSecond) * 1_000);
      } else if (!to.write(bytes)) {
        from.pause();
        to.once('drain', () => from.resume());
      }
    });
    from.on('end', () => (this.#lost.has(direction) ? from.destroySoon() : to.end()));
    from.on('close', () => this.#silent.has(direction) || to.destroySoon());
  }

  #late(direction: Direction, from: Socket, to: Socket, bytes: Buffer): void {
    if (!this.#lost.has(direction)) to.write(bytes);
    from.resume();
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
