// The limit of bench/fan-out.ts, in a process of its own: `ws` alone, which sends one buffer to every socket when it is asked to.

import { createServer } from 'node:http';
import process from 'node:process';
import { WebSocketServer } from 'ws';

const server = createServer((request, response) => {
  if (request.url === '/send') {
    const text = Buffer.from(PAYLOAD);
    for (const socket of sockets.clients) socket.send(text, { binary: false });
  }
  const { rss, heapUsed } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  response.end(JSON.stringify({ rssBytes: rss, heapBytes: heapUsed, cpuSeconds: (user + system) / 1_000_000 }));
});
const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on('connection', (socket) => socket.on('message', () => {}));
const PAYLOAD = JSON.stringify({ id: 'events', type: 'next', payload: { data: { events: { filler: 'x'.repeat(300) } } } });

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`http://127.0.0.1:${address.port}/graphql\n`);
});
