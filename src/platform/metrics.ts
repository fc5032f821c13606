import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** The figures of one server. Names are public: docs/metrics.md lists them; labels take few values, never a client's text. */
export type Metrics = ReturnType<typeof createMetrics>;

const LAG_INTERVAL_MS = 200;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const stopMeasuringLag = measureLag(registry);
  return {
    registry,
    httpRequests: new Counter({
      name: 'rookery_http_requests_total',
      help: 'HTTP requests answered.',
      labelNames: ['method', 'status'],
      registers,
    }),
    httpDuration: new Histogram({
      name: 'rookery_http_request_duration_seconds',
      help: 'From the head of an HTTP request to the end of its answer; streams are not in it.',
      labelNames: ['method'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    sockets: new Gauge({ name: 'rookery_sockets', help: 'Open WebSockets.', registers }),
    eventStreams: new Gauge({ name: 'rookery_event_streams', help: 'Open answers of server-sent events.', registers }),
    subscriptions: new Gauge({ name: 'rookery_subscriptions', help: 'Running subscriptions, over any transport.', registers }),
    busLost: new Counter({
      name: 'rookery_bus_news_lost_total',
      help: 'News that other nodes did not hear, as Redis was away; they find out from the database within a second or so.',
      registers,
    }),
    eventsExecuted: new Counter({
      name: 'rookery_events_executed_total',
      help: 'Executions of events: once for all subscriptions that ask the same (shared true), or for one viewer.',
      labelNames: ['shared'],
      registers,
    }),
    messagesIn: new Counter({ name: 'rookery_socket_messages_in_total', help: 'WebSocket messages received.', registers }),
    messagesOut: new Counter({ name: 'rookery_socket_messages_out_total', help: 'WebSocket messages sent.', registers }),
    closes: new Counter({
      name: 'rookery_socket_closes_total',
      help: 'WebSockets closed, by close code.',
      labelNames: ['code'],
      registers,
    }),
    authenticationFailures: new Counter({
      name: 'rookery_authentication_failures_total',
      help: 'Requests and sockets refused for their access token.',
      registers,
    }),
    signInFailures: new Counter({
      name: 'rookery_sign_in_failures_total',
      help: 'Handles and passwords that did not belong together.',
      registers,
    }),
    signInAlarm: new Gauge({
      name: 'rookery_sign_in_alarm',
      help: '1 while more sign-ins fail on this node than LIMITS_FILE says, and for a minute after: somebody may be guessing passwords.',
      registers,
    }),
    socketQuotasExceeded: new Counter({
      name: 'rookery_socket_quotas_exceeded_total',
      help: 'Sockets, subscriptions and event streams beyond what a tier, or an address before it says who it is, may have open; refused, unless LIMITS_MODE only measures.',
      labelNames: ['limit'],
      registers,
    }),
    limitsExceeded: new Counter({
      name: 'rookery_document_limits_exceeded_total',
      help: 'Operations beyond a limit of depth, aliases, directives, tokens or cost; refused, unless LIMITS_MODE only measures.',
      labelNames: ['limit'],
      registers,
    }),
    limitRefusals: new Counter({
      name: 'rookery_rate_limit_refusals_total',
      help: 'Operations and fields beyond a rate limit, by policy and tier; refused, unless LIMITS_MODE only measures.',
      labelNames: ['policy', 'tier'],
      registers,
    }),
    limitReservations: new Counter({
      name: 'rookery_rate_limit_reservations_total',
      help: 'Operations, and fields inside of lists and events, that took from their rate limits.',
      registers,
    }),
    limitFailures: new Counter({
      name: 'rookery_rate_limit_store_failures_total',
      help: 'Decisions that Redis did not make within 80 ms; the node made them by itself.',
      registers,
    }),
    limitsLocal: new Gauge({
      name: 'rookery_rate_limits_local',
      help: '1 while this node counts rate limits by itself, as Redis is away; 0 while they are counted together, and without REDIS_URL.',
      registers,
    }),
    limitWindowsForgotten: new Counter({
      name: 'rookery_rate_limit_windows_forgotten_total',
      help: 'Windows that were forgotten before they were over, as there were too many: what they held may be taken anew.',
      registers,
    }),
    limitReloads: new Counter({
      name: 'rookery_rate_limit_reloads_total',
      help: 'Times that LIMITS_FILE was read anew: taken over, or refused so that the old one stays.',
      labelNames: ['outcome'],
      registers,
    }),
    databaseDuration: new Histogram({
      name: 'rookery_database_statement_duration_seconds',
      help: 'How long statements took, from the connection they got to their last row.',
      labelNames: ['failed'],
      buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
      registers,
    }),
    databaseUp: new Gauge({ name: 'rookery_database_up', help: '1 while the database answers, 0 while it is away.', registers }),
    historyPages: new Counter({
      name: 'rookery_history_pages_total',
      help: 'Pages of messages read, by the plan that was chosen for their filter; docs/history.md says what each reads.',
      labelNames: ['plan'],
      registers,
    }),
    messageBatches: new Histogram({
      name: 'rookery_message_batch_size',
      help: 'Messages that were written together, in one transaction.',
      buckets: [1, 2, 5, 10, 20, 50, 100],
      registers,
    }),
    signalsDropped: new Counter({
      name: 'rookery_signals_dropped_total',
      help: 'Events of typing, read positions and presence that a slow subscription had no room for.',
      registers,
    }),
    presenceConnections: new Gauge({
      name: 'rookery_presence_connections',
      help: 'Open sockets and event streams of people on this node, which make them present.',
      registers,
    }),
    presenceChanges: new Counter({
      name: 'rookery_presence_changes_total',
      help: 'Changes of people’s presence that this node has told the others.',
      labelNames: ['presence'],
      registers,
    }),
    redisUp: new Gauge({ name: 'rookery_redis_up', help: '1 while Redis answers; 0 while it is away, and without REDIS_URL.', registers }),
    redisFailures: new Counter({
      name: 'rookery_redis_failures_total',
      help: 'Commands that Redis did not carry out in time; what they were for went on without it.',
      registers,
    }),
    [Symbol.dispose]: stopMeasuringLag,
  };
}

/** By the drift of a timer, as the runtimes' own measurement reads nearly nothing on Deno. Shows the worst since it was last read. */
function measureLag(registry: Registry): () => void {
  let worstMs = 0;
  let expectedAt = performance.now() + LAG_INTERVAL_MS;
  const drift = () => performance.now() - expectedAt;
  const timer = setInterval(() => {
    worstMs = Math.max(worstMs, drift());
    expectedAt = performance.now() + LAG_INTERVAL_MS;
  }, LAG_INTERVAL_MS);
  timer.unref();
  new Gauge({
    name: 'rookery_event_loop_lag_seconds',
    help: 'The longest the event loop was late since this was last read.',
    registers: [registry],
    collect() {
      this.set(Math.max(worstMs, drift(), 0) / 1_000);
      worstMs = 0;
    },
  });
  return () => clearInterval(timer);
}
