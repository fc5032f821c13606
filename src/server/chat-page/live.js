/** One subscription over one WebSocket: the protocol graphql-transport-ws, as much of it as a client of one stream needs. */

const ADDRESS = new URL('graphql', location.href.replace(/^http/, 'ws'));
const STREAM = 'events';
const PING_INTERVAL_MS = 10_000;
/** A socket that has been silent for longer, pings notwithstanding, is taken for dead. */
const SILENCE_MS_MAX = 25_000;
const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 8_000;

/**
 * `query` answers its events under the name `events`. Delivers those after `cursor` and, whatever happens to the connection or the server, goes on after the last one delivered.
 * `onState` hears "connecting", "live" and "waiting"; `onExpired` that the cursor has no meaning any more, which ends the stream.
 */
export function follow({ query, cursor, session, onEvent, onState, onExpired }) {
  let after = cursor;
  let socket = null;
  let attempts = 0;
  let heardAt = 0;
  let retryTimer;
  let isOver = false;

  function open() {
    clearTimeout(retryTimer);
    onState('connecting');
    heardAt = performance.now();
    const opened = new WebSocket(ADDRESS, 'graphql-transport-ws');
    socket = opened;
    opened.onopen = () => send({ type: 'connection_init', payload: { authorization: `Bearer ${session.accessToken}` } });
    opened.onclose = ({ code }) => lost(opened, code === 4403);
    opened.onmessage = ({ data }) => {
      heardAt = performance.now();
      if (opened === socket) receive(JSON.parse(data));
    };
  }

  function send(message) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  function receive({ type, id, payload }) {
    switch (type) {
      case 'connection_ack':
        return send({ type: 'subscribe', id: STREAM, payload: { query, variables: { after } } });
      case 'ping':
        return send({ type: 'pong' });
      case 'next':
        // An event that is not whole is not taken: it comes again after the last cursor. An answer to `renew` must be no refusal.
        if (payload.errors) return lost(socket, payload.errors[0].extensions?.code === 'UNAUTHENTICATED');
        if (id !== STREAM) return;
        onEvent(payload.data.events);
        after = payload.data.events.cursor ?? after;
        if (payload.data.events.__typename !== 'CaughtUp') return;
        attempts = 0;
        return onState('live');
      case 'error': {
        const code = payload[0].extensions?.code;
        if (code !== 'CURSOR_EXPIRED') return lost(socket, code === 'UNAUTHENTICATED');
        stop();
        return onExpired();
      }
      case 'complete':
        if (id === STREAM) lost(socket, false);
    }
  }

  /** Leaves a socket for good, be it closed or not, and comes back later, with a new token if the old one was refused. */
  async function lost(left, isTokenRefused) {
    if (left !== socket || isOver) return;
    socket = null;
    left.close();
    onState('waiting');
    const waitMs = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** attempts) * (0.5 + Math.random() / 2);
    attempts += 1;
    if (isTokenRefused) await session.refresh().catch(() => {}); // The session tells when it has ended.
    if (!isOver) retryTimer = setTimeout(open, waitMs);
  }

  function stop() {
    isOver = true;
    clearTimeout(retryTimer);
    clearInterval(pingTimer);
    window.removeEventListener('online', hurry);
    socket?.close();
  }

  /** The network is back: no reason to wait out the delay. */
  function hurry() {
    if (socket === null) open();
  }

  const pingTimer = setInterval(() => {
    if (socket === null) return;
    if (performance.now() - heardAt > SILENCE_MS_MAX) lost(socket, false);
    else send({ type: 'ping' });
  }, PING_INTERVAL_MS);
  window.addEventListener('online', hurry);
  open();

  return {
    stop,
    /** Puts a fresh token in the place of the one the socket was opened with: the stream goes on undisturbed. */
    renew(accessToken) {
      const renewal = 'mutation ($input: AuthenticateSocketInput!) { authenticateSocket(input: $input) { expiresAt } }';
      send({ type: 'subscribe', id: `renewal-${performance.now()}`, payload: { query: renewal, variables: { input: { accessToken } } } });
    },
  };
}
