import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSocketFactory, type DriverSocketOptions } from './postgres-socket.ts';

/** By which PostgreSQL knows a connection that is to be told to break off what it does. */
export type BackendKey = { readonly pid: number; readonly secret: number };

const CANCEL_REQUEST = 80_877_102;
const REQUEST_BYTES = 16;
const TIMEOUT_MS = 2_000;
const REPEAT_MS = 50;

/**
 * Tells the connection that has a statement to break it off, until that has ended: one that is still being prepared would begin all the same.
 * `keyOf`: null while no connection has it yet; it is not taken back then, as a connection that was made for it would wait for it for ever.
 */
export async function cancelUntil(ended: Promise<unknown>, address: DriverSocketOptions, keyOf: () => BackendKey | null): Promise<void> {
  let isOver = false;
  const over = ended.then(
    () => {
      isOver = true;
    },
    () => {
      isOver = true;
    },
  );
  while (!isOver) {
    const key = keyOf();
    if (key !== null) await requestCancel(address, key);
    await Promise.race([over, sleep(REPEAT_MS)]);
  }
}

/**
 * Tells a connection to break off its statement. Resolves when PostgreSQL has passed that on, so that nothing the connection does later can be
 * meant, or when nobody took the request; never fails, as it may come too late at any time. The driver's own request tells nobody when it
 * is over, and one that fails ends the process.
 */
async function requestCancel(address: DriverSocketOptions, { pid, secret }: BackendKey): Promise<void> {
  const request = Buffer.alloc(REQUEST_BYTES);
  for (const [index, value] of [REQUEST_BYTES, CANCEL_REQUEST, pid, secret].entries()) request.writeUInt32BE(value, index * 4);
  // Of several hosts any may have the connection; the others do not know the key.
  const openSocket = createSocketFactory();
  await Promise.all(
    address.host.map(async () => {
      const socket = openSocket(address);
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy());
      socket.write(request);
      // PostgreSQL closes when it is done; data, which it does not send, would have to be read for that to be noticed.
      socket.resume();
      await once(socket, 'close').catch(() => {});
    }),
  );
}
