import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Metrics } from '../platform/metrics.ts';
import { GRAPHQL_PATH } from './pipeline.ts';
import { type Exchange, reply, replyError } from './reply.ts';
import { setSecurityHeaders } from './security-headers.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'OPTIONS'];
const RETRY_AFTER_S = '1';

/** A page that is served as it is. */
export type Page = {
  readonly body: string | Buffer;
  readonly contentType: string;
  readonly contentSecurityPolicy: string;
};

export type Route = (exchange: Exchange, query: string) => Promise<void> | void;

export type HttpDependencies = {
  readonly graphql: Route;
  /** By path, such as `/livez`; they answer GET and HEAD. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly pages: ReadonlyMap<string, Page>;
  readonly isStopping: () => boolean;
  readonly metrics: Metrics;
  readonly logger: Logger;
};

/** The listener of node:http: gives every request its number, its headers and its route, and tells what happened to it. */
export function createRequestListener(dependencies: HttpDependencies): (request: IncomingMessage, response: ServerResponse) => void {
  const { graphql, routes, pages, isStopping, metrics, logger } = dependencies;

  return function listen(request, response) {
    const startedAt = performance.now();
    const exchange: Exchange = { request, response, requestId: requestIdOf(request) };
    const method = METHODS.includes(request.method ?? '') ? (request.method ?? 'other') : 'other';
    response.setHeader('X-Request-Id', exchange.requestId);
    setSecurityHeaders(response);
    if (isStopping()) response.setHeader('Connection', 'close');
    response.once('close', () => {
      const status = String(response.statusCode);
      metrics.httpRequests.inc({ method, status });
      if (response.getHeader('Content-Type') !== 'text/event-stream') {
        metrics.httpDuration.observe({ method }, (performance.now() - startedAt) / 1_000);
      }
      logger.debug({ requestId: exchange.requestId, method, path: pathOf(request).path.slice(0, 200), status }, 'Request answered.');
    });
    route(exchange).catch((error: unknown) => fail(exchange, error));
  };

  async function route(exchange: Exchange): Promise<void> {
    const { path, query } = pathOf(exchange.request);
    if (holdsSecret(query)) {
      return replyError(exchange, 400, 'BAD_USER_INPUT', 'A token must be sent in the Authorization header, never in the address.');
    }
    if (path === GRAPHQL_PATH) return graphql(exchange, query);
    const found = routes.get(path) ?? pageRoute(path);
    if (found === null) return replyError(exchange, 404, 'NOT_FOUND', 'There is nothing here.');
    if (exchange.request.method !== 'GET' && exchange.request.method !== 'HEAD') {
      return replyError(exchange, 405, 'BAD_USER_INPUT', 'This address is served by GET.', { Allow: 'GET, HEAD' });
    }
    return found(exchange, query);
  }

  function pageRoute(path: string): Route | null {
    const page = pages.get(path);
    if (page === undefined) return null;
    const { body, contentType, contentSecurityPolicy } = page;
    const headers = { 'Content-Type': contentType, 'Content-Security-Policy': contentSecurityPolicy, 'Cache-Control': 'no-cache' };
    return (exchange) => reply(exchange, 200, headers, body);
  }

  function fail(exchange: Exchange, error: unknown): void {
    const { request, response, requestId } = exchange;
    if (request.destroyed && response.destroyed) return; // The client left; nobody is there to be told.
    if (response.headersSent) {
      logger.error({ requestId, err: error }, 'An answer broke off.');
      response.destroy();
      return;
    }
    if (error instanceof AppError && error.code === 'OVERLOADED') {
      return replyError(exchange, 503, error.code, error.message, { 'Retry-After': RETRY_AFTER_S });
    }
    logger.error({ requestId, err: error }, 'A request failed.');
    replyError(exchange, 500, 'INTERNAL_SERVER_ERROR', 'Something went wrong on our side.');
  }
}

/** Not by `new URL`, which throws for some of what clients send. */
export function pathOf({ url = '/' }: IncomingMessage): { readonly path: string; readonly query: string } {
  const [path = '/', ...rest] = url.split('?');
  return { path, query: rest.join('?') };
}

/** Addresses end up in logs and histories: a token there is a token lost. */
export function holdsSecret(query: string): boolean {
  if (query === '') return false;
  const parameters = new URLSearchParams(query);
  return [...parameters.keys()].some((name) => ['token', 'access_token', 'accesstoken', 'authorization'].includes(name.toLowerCase()));
}

/** The caller's number when it is harmless to log, else one of ours. */
export function requestIdOf({ headers }: IncomingMessage): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(given) ? given : randomUUID();
}
