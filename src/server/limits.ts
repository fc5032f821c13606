/** What one client may take of the server, before anybody knows who it is. Durations in milliseconds. */
export const LIMITS = {
  bodyBytesMax: 256 * 1024,
  bodyTimeoutMs: 15_000,
  /** Node measures these two; a GET carries its document in the head, hence its size. */
  headersTimeoutMs: 10_000,
  headBytesMax: 64 * 1024,
  keepAliveTimeoutMs: 65_000,
  readinessTimeoutMs: 2_000,
  eventStreamPingMs: 12_000,
  /** A reader of events that takes nothing for this long is gone. */
  eventStreamStallMs: 30_000,
  eventStreamsMax: 10_000,
  socketsMax: 20_000,
  frameBytesMax: 256 * 1024,
  messagesPerSecondMax: 100,
  unsentBytesMax: 1024 * 1024,
  /** A reader of a socket that takes nothing for this long, while events wait for it, is told to come back with its cursor. */
  socketStallMs: 30_000,
  initTimeoutMs: 3_000,
  authenticateTimeoutMs: 5_000,
  pingIntervalMs: 25_000,
  pongTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  /** How often it is looked whether those who are connected may stay. */
  viewerCheckIntervalMs: 1_000,
  /** What Redis takes longer to decide about rate limits this node decides by itself. */
  limitDecisionTimeoutMs: 80,
  /** Over this long everybody is told to come back when the server stops, so that they do not all come at once. */
  stopSpreadMs: 1_500,
} as const;

export type Limits = { readonly [Name in keyof typeof LIMITS]: number };
