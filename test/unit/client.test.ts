import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRookeryClient, RookeryProblem } from '../../src/client/client.ts';
import { problemOfClose, problemOfFault, waitMs } from '../../src/client/problem.ts';

const LOST = new RookeryProblem('CONNECTION_LOST', 'lost');

describe('the delay before the next attempt', () => {
  test('is anything up to a bound that doubles, up to 15 seconds', () => {
    const attempts = Array.from({ length: 8 }, (_, attempt) => attempt);
    expect(attempts.map((attempt) => waitMs(LOST, attempt, () => 1))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    expect([waitMs(LOST, 0, () => 0.5), waitMs(LOST, 1, () => 0.5)]).toEqual([250, 500]);
    expect(waitMs(LOST, 0, () => 0)).toBe(0);
    expect(waitMs(LOST, 2_000, () => 1)).toBe(15_000);
  });

  test('is at least what the server asks, which is believed up to five minutes', () => {
    const overloaded = problemOfFault({ message: 'Later.', extensions: { code: 'OVERLOADED', retryAfterMs: 3_000 } });
    expect([waitMs(overloaded, 0, () => 1), waitMs(overloaded, 1, () => 1)]).toEqual([3_500, 4_000]);
    const forever = problemOfFault({ message: 'Later.', extensions: { code: 'RATE_LIMITED', retryAfterMs: 1e12 } });
    expect(waitMs(forever, 0, () => 0)).toBe(300_000);
  });
});

test('what coming back cannot mend is final, everything else is not, codes that nobody knows yet included', () => {
  const final = (codes: readonly string[]) => codes.filter((code) => problemOfFault({ message: '', extensions: { code } }).isFinal);
  const codes = [
    'NOT_FOUND',
    'FORBIDDEN',
    'BAD_USER_INPUT',
    'CURSOR_EXPIRED',
    'CONFLICT',
    'GRAPHQL_PARSE_FAILED',
    'GRAPHQL_VALIDATION_FAILED',
  ];
  expect(final(codes)).toEqual(codes);
  expect(final(['OVERLOADED', 'TIMEOUT', 'RATE_LIMITED', 'UNAUTHENTICATED', 'INTERNAL_SERVER_ERROR', 'SOMETHING_NEW'])).toEqual([]);
  expect(problemOfFault({ message: 'no code' })).toMatchObject({ code: 'UNKNOWN', isFinal: false, retryAfterMs: 0 });
  const closes = [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 4403, 4408, 4500, 1009, 4400, 4401, 4406, 4409, 4429];
  expect(closes.filter((code) => problemOfClose({ code, reason: '' }).isFinal)).toEqual([1009, 4400, 4401, 4406, 4409, 4429]);
  expect(problemOfClose({ code: 4403, reason: 'Token expired' })).toMatchObject({ code: 'UNAUTHENTICATED', isFinal: false });
  expect(problemOfClose({ code: 4400, reason: 'Bad' })).toMatchObject({
    code: 'PROTOCOL_BROKEN',
    message: 'The socket was closed with 4400: Bad.',
  });
});

describe('on a clock that the test moves', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('attempts come later and later, and at once again after a success', async () => {
    const { opened, follow } = line();
    const { statuses } = follow();
    for (const [index, waitedMs] of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000].entries()) {
      expect(opened).toHaveLength(index + 1);
      opened.at(-1)?.drop(1006);
      await vi.advanceTimersByTimeAsync(waitedMs - 1);
      expect(opened).toHaveLength(index + 1);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(opened).toHaveLength(8);
    // Being connected is no success yet: a server that accepts and closes is not hurried.
    await opened.at(-1)?.acknowledge();
    opened.at(-1)?.drop(1012);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(opened).toHaveLength(8);
    await vi.advanceTimersByTimeAsync(1);
    await opened.at(-1)?.acknowledge();
    opened.at(-1)?.tell(caughtUp(0, 0));
    expect(statuses.at(-1)).toBe('live');
    opened.at(-1)?.drop(1001);
    await vi.advanceTimersByTimeAsync(500);
    expect(opened).toHaveLength(10);
  });

  test('a socket that is closed as if all were done is waited for as any other, and resumed from the last event', async () => {
    const { opened, follow } = line();
    const { statuses, problems } = follow();
    await opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    opened[0]?.drop(1000);
    await vi.advanceTimersByTimeAsync(499);
    expect({ statuses, problems }).toMatchObject({
      statuses: ['connecting', 'live', 'waiting'],
      problems: [{ code: 'CONNECTION_LOST', message: 'The socket was closed with 1000.' }],
    });
    expect(opened).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    await opened[1]?.acknowledge();
    expect(opened[1]?.subscribed()).toMatchObject({ payload: { variables: { after: 'at 4' } } });
  });

  test('a close that coming back cannot mend ends everything', async () => {
    const { opened, follow } = line();
    const { statuses, problems } = follow();
    opened[0]?.drop(4400);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(opened).toHaveLength(1);
    expect({ statuses, problems }).toMatchObject({ statuses: ['connecting', 'failed'], problems: [{ code: 'PROTOCOL_BROKEN' }] });
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a server that does not answer is asked every 10 seconds and left 5 seconds later; any sign of life will do', async () => {
    const { opened, follow } = line();
    const { statuses, problems } = follow();
    const [socket] = opened;
    await socket?.acknowledge();
    socket?.tell(caughtUp(0, 0));
    const pings = () => socket?.sent.filter(({ type }) => type === 'ping').length;
    for (let ping = 1; ping <= 4; ping += 1) {
      await vi.advanceTimersByTimeAsync(10_000);
      expect(pings()).toBe(ping);
      await vi.advanceTimersByTimeAsync(4_999);
      if (ping % 2 > 0) socket?.tell(caughtUp(0, 0));
      await vi.advanceTimersByTimeAsync(ping % 2 > 0 ? 4_999 : 0);
      socket?.hear({ type: 'pong' });
    }
    await vi.advanceTimersByTimeAsync(9_000);
    socket?.tell(caughtUp(0, 0));
    await vi.advanceTimersByTimeAsync(5_999);
    expect(statuses).toEqual(['connecting', 'live']);
    await vi.advanceTimersByTimeAsync(1);
    expect(statuses).toEqual(['connecting', 'live', 'waiting']);
    expect(problems).toMatchObject([{ code: 'CONNECTION_LOST', message: 'The server said nothing for 5000 ms.' }]);
    expect(socket?.isClosed).toBe(true);
    // What a socket that was left says later is not heard.
    socket?.tell(caughtUp(0, 7));
    expect(statuses.at(-1)).toBe('waiting');
  });

  test('a page that is shown again asks at once whether the server is there, and comes back at once', async () => {
    const signs = new EventTarget();
    vi.stubGlobal('addEventListener', signs.addEventListener.bind(signs));
    const { opened, follow } = line();
    const { statuses } = follow();
    await opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 0));
    signs.dispatchEvent(new Event('pageshow'));
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'ping' });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(statuses).toEqual(['connecting', 'live', 'waiting']);
    signs.dispatchEvent(new Event('online'));
    expect(statuses.at(-1)).toBe('connecting');
    expect(opened).toHaveLength(2);
  });

  test('a server that accepts the connection and says nothing is left after 10 seconds', async () => {
    const { opened, follow } = line();
    const { statuses } = follow();
    await vi.advanceTimersByTimeAsync(9_999);
    expect(statuses).toEqual(['connecting']);
    await vi.advanceTimersByTimeAsync(1);
    expect(statuses).toEqual(['connecting', 'waiting']);
    expect(opened[0]?.isClosed).toBe(true);
  });

  test('a ping of the server is answered, and a socket without anything to do is closed after a second', async () => {
    const { opened, follow } = line();
    const { following } = follow();
    await opened[0]?.acknowledge();
    opened[0]?.hear({ type: 'ping' });
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'pong' });
    const id = opened[0]?.subscribed()?.id;
    following.stop();
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'complete', id });
    await vi.advanceTimersByTimeAsync(999);
    expect(opened[0]?.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(opened[0]?.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream that the server ends without a departure is resumed, one with a departure has completed', async () => {
    const { opened, follow } = line();
    const { statuses, problems } = follow();
    await opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    await opened[0]?.complete();
    expect(problems).toMatchObject([{ code: 'CONNECTION_LOST', message: 'The server ended the stream.' }]);
    await vi.advanceTimersByTimeAsync(500);
    expect(opened).toHaveLength(1);
    expect(opened[0]?.subscribed()).toMatchObject({ payload: { variables: { after: 'at 4' } } });
    const departure = (sequence: number) => ({
      ...caughtUp(sequence - 1, sequence),
      __typename: 'MemberChanged',
      user: { id: 'usr_1' },
      member: null,
    });
    // One that was not the end.
    for (const event of [departure(5), caughtUp(5, 5)]) opened[0]?.tell(event);
    await opened[0]?.complete();
    expect(statuses.at(-1)).toBe('waiting');
    await vi.advanceTimersByTimeAsync(500);
    opened[0]?.tell(departure(6));
    await opened[0]?.complete();
    expect(statuses.at(-1)).toBe('completed');
  });

  test('a broken chain is told, nothing of it is taken, and the stream goes on after the last good event', async () => {
    const { opened, follow } = line();
    const { events, problems } = follow();
    await opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    const id = opened[0]?.subscribed()?.id;
    opened[0]?.tell({ ...caughtUp(5, 6), __typename: 'ConversationChanged' });
    expect(problems).toMatchObject([{ code: 'CHAIN_BROKEN', message: 'An event of cnv_1 must join on to 4, got one after 5.' }]);
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'complete', id });
    opened[0]?.tell({ ...caughtUp(4, 5), __typename: 'ConversationChanged' });
    expect(events).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(opened[0]?.subscribed()).toMatchObject({ payload: { variables: { after: 'at 4' } } });
  });

  test('a gap after a departure is a broken chain, too, unless it was the viewer who left an inbox', async () => {
    const left = (user: string) => ({ ...caughtUp(4, 5), __typename: 'MemberChanged', user: { id: user }, member: null });
    const after = { ...caughtUp(8, 9), __typename: 'MemberChanged', user: { id: 'usr_1' }, member: { id: 'mem_1' } };
    const told = async (source: object, user: string) => {
      const { opened, follow } = line();
      const { events, problems } = follow(source);
      await opened[0]?.acknowledge();
      for (const event of [caughtUp(0, 4), left(user), after]) opened[0]?.tell(event);
      return [events.length, problems.map(({ code }) => code)];
    };
    expect(await told({}, 'usr_1')).toEqual([2, ['CHAIN_BROKEN']]);
    expect(await told({ viewerId: 'usr_1' }, 'usr_2')).toEqual([2, ['CHAIN_BROKEN']]);
    expect(await told({ viewerId: 'usr_1' }, 'usr_1')).toEqual([3, []]);
  });

  test('what was told before is not told again, and moves nothing back', async () => {
    const { opened, follow } = line();
    const { events, problems, following } = follow({ viewerId: 'usr_1' });
    await opened[0]?.acknowledge();
    for (const event of [caughtUp(0, 4), caughtUp(4, 6), caughtUp(4, 5), caughtUp(5, 6), caughtUp(5, 7)]) opened[0]?.tell(event);
    expect(events).toMatchObject([{ sequence: 4 }, { sequence: 6 }, { sequence: 7 }]);
    expect(problems).toEqual([]);
    expect(following.cursor).toBe('at 7');
  });

  test('resuming ends a wait, but not the one the server asked for', async () => {
    const { opened, follow } = line();
    const { following, statuses } = follow();
    opened[0]?.drop(1006);
    await vi.advanceTimersByTimeAsync(0);
    expect(statuses.at(-1)).toBe('waiting');
    following.resume();
    expect(opened).toHaveLength(2);
    await opened[1]?.acknowledge();
    opened[1]?.refuse({ message: 'Later.', extensions: { code: 'OVERLOADED', retryAfterMs: 600 } });
    following.resume();
    expect(statuses.at(-1)).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_599);
    expect(statuses.at(-1)).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1);
    expect(statuses.at(-1)).toBe('connecting');
  });

  test('a passing signal, which has no number, is told and moves nothing', async () => {
    const { opened, follow } = line();
    const { events, following } = follow();
    await opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    opened[0]?.tell({ __typename: 'TypingChanged', conversationId: 'cnv_1', sequence: null, previousSequence: null, cursor: null });
    expect(following.cursor).toBe('at 4');
    opened[0]?.tell({ ...caughtUp(4, 5), __typename: 'ConversationChanged' });
    expect(events).toHaveLength(3);
    expect(following.cursor).toBe('at 5');
  });

  test('a client that was closed opens no socket any more, and nothing of it is left', async () => {
    const { opened, follow, client } = line();
    const { following, statuses } = follow();
    opened[0]?.drop(1006);
    await vi.advanceTimersByTimeAsync(0);
    const sending = client.send({ conversationId: 'cnv_1', clientMessageId: 'one', body: 'Too late.' });
    const refused = expect(sending).rejects.toMatchObject({ message: 'The client was closed.', isFinal: true });
    client.close();
    await refused;
    expect(statuses).toEqual(['connecting', 'waiting', 'stopped']);
    following.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(opened).toHaveLength(2);
    expect(opened[1]?.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
    await expect(client.send({ conversationId: 'cnv_1', clientMessageId: 'two', body: 'Too late.' })).rejects.toBeInstanceOf(
      RookeryProblem,
    );
    expect(opened).toHaveLength(2);
  });
});

function caughtUp(previousSequence: number, sequence: number) {
  return { __typename: 'CaughtUp', conversationId: 'cnv_1', previousSequence, sequence, cursor: `at ${sequence}` };
}

type Frame = { readonly type: string; readonly id?: string; readonly payload?: unknown };

/** The other end of a socket, in the hands of the test. */
class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  onopen: (() => unknown) | null = null;
  onmessage: ((event: { readonly data: string }) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null = null;
  readyState = FakeSocket.CONNECTING;
  readonly sent: Frame[] = [];

  get isClosed(): boolean {
    return this.readyState === FakeSocket.CLOSED;
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  /** Tells of it later, as sockets do. */
  close(code: number): void {
    if (this.isClosed) return;
    this.readyState = FakeSocket.CLOSED;
    queueMicrotask(() => this.drop(code));
  }

  async acknowledge(): Promise<void> {
    this.readyState = FakeSocket.OPEN;
    await this.onopen?.();
    this.hear({ type: 'connection_ack' });
    await vi.advanceTimersByTimeAsync(0);
  }

  hear(message: Frame): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The newest stream. */
  subscribed(): Frame | undefined {
    return this.sent.findLast(({ type }) => type === 'subscribe');
  }

  tell(events: object): void {
    this.hear({ type: 'next', id: this.subscribed()?.id ?? '', payload: { data: { events } } });
  }

  refuse(error: object): void {
    this.hear({ type: 'error', id: this.subscribed()?.id ?? '', payload: [error] });
  }

  async complete(): Promise<void> {
    this.hear({ type: 'complete', id: this.subscribed()?.id ?? '' });
    await vi.advanceTimersByTimeAsync(0);
  }

  drop(code: number): void {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason: '' });
  }
}

function line() {
  const opened: FakeSocket[] = [];
  const OpenedSocket = class extends FakeSocket {
    constructor() {
      super();
      opened.push(this);
    }
  };
  vi.stubGlobal('WebSocket', OpenedSocket);
  const client = createRookeryClient({ url: 'http://rookery.test/graphql', accessToken: () => 'a token', random: () => 1 });
  return {
    opened,
    client,
    /** The conversation, or what is given in its place. */
    follow(source: object = {}) {
      const events: unknown[] = [];
      const statuses: string[] = [];
      const problems: RookeryProblem[] = [];
      const handlers = {
        onEvent: (event: unknown) => events.push(event),
        onStatus(status: string, problem: RookeryProblem | null) {
          statuses.push(status);
          if (problem !== null) problems.push(problem);
        },
      };
      const following =
        'viewerId' in source
          ? client.followInbox({ viewerId: String(source.viewerId), ...handlers })
          : client.followConversation({ conversationId: 'cnv_1', ...handlers });
      return { following, events, statuses, problems };
    },
  };
}
