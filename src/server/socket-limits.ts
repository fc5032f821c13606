import type { WebSocket } from 'ws';

/** A bucket that holds one second's worth; answers whether one more is too many. */
export function createRateCheck(perSecondMax: number): () => boolean {
  let left = perSecondMax;
  let filledAt = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(perSecondMax, left + ((now - filledAt) / 1_000) * perSecondMax) - 1;
    filledAt = now;
    return left < 0;
  };
}

/** Pings the other side, and cuts it off when it does not answer in time. Ends with the function it returns. */
export function keepAlive(ws: WebSocket, pingIntervalMs: number, pongTimeoutMs: number): () => void {
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const interval = setInterval(() => {
    ws.ping();
    deadline ??= setTimeout(() => ws.terminate(), pongTimeoutMs);
  }, pingIntervalMs);
  ws.on('pong', () => {
    clearTimeout(deadline);
    deadline = undefined;
  });
  return () => {
    clearInterval(interval);
    clearTimeout(deadline);
  };
}

/** Rejects when the promise takes longer. What it stands for goes on. */
export async function within<Value>(timeoutMs: number, promise: Promise<Value>): Promise<Value> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`Must take at most ${timeoutMs} ms.`)), timeoutMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
