import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { SocketWriter } from '../../src/server/socket-writer.ts';
import { eventually } from './tiny-server.ts';

test('what is sent in one turn waits for its end, and arrives whole and in order', async () => {
  await using pair = await connect();
  const write = writeTo(pair, 60_000, () => {});
  const idle = pair.socket.writableLength;
  for (let number = 0; number < 10; number++) await write(`message ${number}`);
  expect(pair.socket.writableLength).toBeGreaterThan(idle + 10 * 'message 0'.length);
  await eventually(() => pair.received.length === 10);
  expect(pair.received).toEqual(Array.from({ length: 10 }, (_, number) => `message ${number}`));
});

test('a little is taken at once; who sends more waits for the reader', async () => {
  await using pair = await connect();
  const write = writeTo(pair, 60_000, () => {});
  pair.client.pause();
  let taken = 0;
  const sending = (async () => {
    for (; taken < 1_000; taken++) await write('x'.repeat(16 * 1024));
  })();
  await write('soon');
  // Beyond what the system keeps for the two ends of a connection nothing is taken.
  await eventually(async () => {
    const before = taken;
    await new Promise((resolve) => setTimeout(resolve, 50));
    return taken === before;
  });
  expect(taken).toBeGreaterThan(2);
  expect(taken).toBeLessThan(1_000);
  expect(pair.ws.bufferedAmount).toBeLessThan(128 * 1024);
  pair.client.resume();
  await sending;
  await eventually(() => pair.received.length === 1_001);
});

test('who takes nothing for long while something waits has stalled; who is only slow, or has nothing to take, has not', async () => {
  await using pair = await connect();
  let stalls = 0;
  const write = writeTo(pair, 1_000, () => (stalls += 1));
  await write('nothing waits');
  pair.client.pause();
  let isSending = true;
  const sending = (async () => {
    while (isSending) await write('x'.repeat(64 * 1024));
  })();
  // Slow: a little is taken now and then, for far longer than the limit.
  for (let round = 0; round < 12; round++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    pair.client.resume();
    await new Promise((resolve) => setTimeout(resolve, 20));
    pair.client.pause();
  }
  expect(stalls).toBe(0);
  await eventually(() => stalls === 1);
  isSending = false;
  pair.client.resume();
  await sending;
});

function writeTo({ ws, socket }: Pair, stallTimeoutMs: number, onStalled: () => void) {
  const writer = new SocketWriter({ ws, close: onStalled }, socket, stallTimeoutMs);
  return async (message: string) => writer.write({ message, frame: null });
}

type Pair = AsyncDisposable & {
  readonly ws: WebSocket;
  readonly socket: Duplex;
  readonly client: WebSocket;
  readonly received: readonly string[];
};

/** Both ends of a connection over the loopback. */
async function connect(): Promise<Pair> {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const { promise, resolve } = Promise.withResolvers<{ readonly ws: WebSocket; readonly socket: Duplex }>();
  server.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head, (ws) => resolve({ ws, socket })));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo; // It listens on a port, not on a pipe.
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const received: string[] = [];
  client.on('message', (data) => received.push(String(data)));
  const { ws, socket } = await promise;
  await eventually(() => client.readyState === client.OPEN);
  return {
    ws,
    socket,
    client,
    received,
    async [Symbol.asyncDispose]() {
      client.terminate();
      ws.terminate();
      await new Promise((done) => server.close(done));
    },
  };
}
