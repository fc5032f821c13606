import type { Registry } from 'prom-client';
import { isSameSecret } from '../platform/same-secret.ts';
import { type Exchange, reply, replyError, replyText } from './reply.ts';

const LOOPBACK = ['127.0.0.1', '::1', '::ffff:127.0.0.1'];
/** How this machine calls itself. A page of another name that resolves to it (DNS rebinding) sends that name. */
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

export type OperationsDependencies = {
  readonly registry: Registry;
  readonly metricsToken: string | null;
  readonly metricsPort: number | null;
  readonly mode: 'development' | 'production';
  /** Whether to be given requests: false while starting, stopping, or without a database. Never throws. */
  readonly isReady: () => Promise<boolean>;
  /** What is away, or done in another way, that clients hardly notice. */
  readonly degradations: () => readonly string[];
};

/** What whoever runs the server asks it: /livez, /readyz, /metrics. */
export function createOperationsHandlers({ registry, metricsToken, metricsPort, mode, isReady, degradations }: OperationsDependencies) {
  async function metrics(exchange: Exchange): Promise<void> {
    reply(exchange, 200, { 'Content-Type': registry.contentType }, await registry.metrics());
  }

  return {
    live(exchange: Exchange): void {
      replyText(exchange, 200, 'ok\n');
    },
    async ready(exchange: Exchange): Promise<void> {
      if (!(await isReady())) return replyText(exchange, 503, 'not ready\n');
      const found = degradations();
      replyText(exchange, 200, found.length === 0 ? 'ready\n' : `ready, degraded: ${found.join(', ')}\n`);
    },
    /** On the port of its own, which listens on loopback alone. */
    metrics,
    /** On the public port: with the token; without one only in development, and only for this very machine. */
    async publicMetrics(exchange: Exchange): Promise<void> {
      const { headers, socket } = exchange.request;
      if (metricsToken !== null) {
        if (isSameSecret(headers.authorization ?? '', `Bearer ${metricsToken}`)) return metrics(exchange);
        return replyError(exchange, 401, 'UNAUTHENTICATED', 'Metrics need their own token.', { 'WWW-Authenticate': 'Bearer' });
      }
      const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
      const isLocal = LOOPBACK.includes(socket.remoteAddress ?? '') && LOOPBACK_HOST.test(headers.host ?? '') && !isForwarded;
      if (metricsPort === null && mode === 'development' && isLocal) return metrics(exchange);
      replyError(exchange, 404, 'NOT_FOUND', 'There is nothing here.');
    },
  };
}
