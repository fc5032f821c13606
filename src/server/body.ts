import type { IncomingMessage } from 'node:http';
import type { Limits } from './limits.ts';

/** Why a body was not taken, as an HTTP status. */
export type BodyRefusal = { readonly status: 408 | 413 | 415; readonly message: string };

/** The whole body, or why not. Nothing of a body that is known to be too large is read. */
export async function readBody(request: IncomingMessage, limits: Limits): Promise<Buffer | BodyRefusal> {
  const { bodyBytesMax, bodyTimeoutMs } = limits;
  const tooLarge: BodyRefusal = { status: 413, message: `A request body must be at most ${bodyBytesMax} bytes.` };
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') return { status: 415, message: 'A request body must not be compressed.' };
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) return tooLarge;

  const { promise, resolve, reject } = Promise.withResolvers<Buffer | BodyRefusal>();
  const chunks: Buffer[] = [];
  let length = 0;
  const late: BodyRefusal = { status: 408, message: `A request body must arrive within ${bodyTimeoutMs} ms.` };
  const timer = setTimeout(() => resolve(late), bodyTimeoutMs);
  const take = (chunk: Buffer) => {
    length += chunk.length;
    if (length > bodyBytesMax) return resolve(tooLarge);
    chunks.push(chunk);
  };
  const leave = () => reject(new Error('The client left before its request was complete.'));
  const end = () => {
    request.off('close', leave); // It comes at once after the end.
    resolve(Buffer.concat(chunks, length));
  };
  request.on('data', take);
  request.once('end', end);
  request.once('error', leave);
  request.once('close', leave);
  return promise.finally(() => {
    clearTimeout(timer);
    request.off('data', take);
    request.off('end', end);
    request.off('error', leave);
    request.off('close', leave);
  });
}
