import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type ClientOptions, createRookeryClient, RookeryProblem, type SocketLike } from '../../src/client/client.ts';
import { createBackOff, problemOfClose, problemOfFault } from '../../src/client/problem.ts';

const LOST = new RookeryProblem('CONNECTION_LOST', 'lost');

describe('the delay before the next attempt', () => {
  test('is anything up to a bound that doubles, up to 15 seconds, and begins anew after a success', () => {
    const most = createBackOff(() => 1);
    expect(Array.from({ length: 8 }, () => most.nextMs(LOST))).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
    most.reset();
    expect(most.nextMs(LOST)).toBe(500);
    const half = createBackOff(() => 0.5);
    expect([half.nextMs(LOST), half.nextMs(LOST)]).toEqual([250, 500]);
    expect(createBackOff(() => 0).nextMs(LOST)).toBe(0);
    for (let attempt = 0; attempt < 2_000; attempt += 1) expect(most.nextMs(LOST)).toBeLessThanOrEqual(15_000);
  });

  test('is at least what the server asks, which is believed up to five minutes', () => {
    const overloaded = problemOfFault({ message: 'Later.', extensions: { code: 'OVERLOADED', retryAfterMs: 3_000 } });
    const backOff = createBackOff(() => 1);
    expect([backOff.nextMs(overloaded), backOff.nextMs(overloaded)]).toEqual([3_500, 4_000]);
    const forever = problemOfFault({ message: 'Later.', extensions: { code: 'RATE_LIMITED', retryAfterMs: 1e12 } });
    expect(createBackOff(() => 0).nextMs(forever)).toBe(300_000);
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
  expect(closes.filter((code) => problemOfClose(code, '').isFinal)).toEqual([1009, 4400, 4401, 4406, 4409, 4429]);
  expect(problemOfClose(4403, 'Token expired')).toMatchObject({ code: 'UNAUTHENTICATED', isFinal: false });
  expect(problemOfClose(4400, 'Bad')).toMatchObject({ code: 'PROTOCOL_BROKEN', message: 'The socket was closed with 4400: Bad.' });
});

describe('on a clock that the test moves', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('attempts come later and later, and at once again after a success', async () => {
    const { opened, follow } = line();
    const { statuses } = follow();
    const attempts: number[] = [];
    for (const waitMs of [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      await vi.advanceTimersByTimeAsync(0);
      attempts.push(opened.length);
      opened.at(-1)?.drop(1006);
      await vi.advanceTimersByTimeAsync(waitMs - 1);
      expect(opened).toHaveLength(attempts.length);
      await vi.advanceTimersByTimeAsync(1);
      expect(opened).toHaveLength(attempts.length + 1);
    }
    // Being connected is no success yet: a server that accepts and closes is not hurried.
    opened.at(-1)?.acknowledge();
    opened.at(-1)?.drop(1012);
    await vi.advanceTimersByTimeAsync(14_999);
    expect(opened).toHaveLength(8);
    await vi.advanceTimersByTimeAsync(1);
    opened.at(-1)?.acknowledge();
    opened.at(-1)?.tell(caughtUp(0, 0));
    expect(statuses.at(-1)).toBe('live');
    opened.at(-1)?.drop(1001);
    await vi.advanceTimersByTimeAsync(500);
    expect(opened).toHaveLength(10);
  });

  test('a close that coming back cannot mend ends everything', async () => {
    const { opened, follow } = line();
    const { statuses, problems } = follow();
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.drop(4400);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(opened).toHaveLength(1);
    expect({ statuses, problems }).toMatchObject({ statuses: ['connecting', 'failed'], problems: [{ code: 'PROTOCOL_BROKEN' }] });
  });

  test('a server that does not answer is asked every 10 seconds and left 5 seconds later; any sign of life will do', async () => {
    const { opened, follow } = line();
    const { statuses } = follow();
    await vi.advanceTimersByTimeAsync(0);
    const [socket] = opened;
    socket?.acknowledge();
    socket?.tell(caughtUp(0, 0));
    const pings = () => socket?.sent.filter(({ type }) => type === 'ping').length;
    for (let ping = 1; ping <= 5; ping += 1) {
      await vi.advanceTimersByTimeAsync(10_000);
      expect(pings()).toBe(ping);
      if (ping % 2 > 0) socket?.hear({ type: 'pong' });
      else socket?.tell(caughtUp(0, 0));
    }
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(statuses).toEqual(['connecting', 'live']);
    await vi.advanceTimersByTimeAsync(1);
    expect(statuses).toEqual(['connecting', 'live', 'waiting']);
    expect(socket?.isClosed).toBe(true);
    // What a socket that was left says later is not heard.
    socket?.tell(caughtUp(0, 7));
    expect(statuses.at(-1)).toBe('waiting');
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
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.acknowledge();
    opened[0]?.hear({ type: 'ping' });
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'pong' });
    following.stop();
    expect(opened[0]?.sent.at(-1)).toMatchObject({ type: 'complete', id: '1' });
    await vi.advanceTimersByTimeAsync(999);
    expect(opened[0]?.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(opened[0]?.isClosed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a stream that the server ends without a departure is resumed, one with a departure has completed', async () => {
    const { opened, follow } = line();
    const { statuses, problems } = follow();
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    opened[0]?.hear({ type: 'complete', id: '1' });
    expect(problems).toMatchObject([{ code: 'CONNECTION_LOST', message: 'The server ended the stream.' }]);
    await vi.advanceTimersByTimeAsync(500);
    expect(opened).toHaveLength(1);
    expect(opened[0]?.sent.at(-1)).toMatchObject({ type: 'subscribe', id: '2', payload: { variables: { after: 'at 4' } } });
    opened[0]?.tell({ ...caughtUp(4, 5), __typename: 'MemberChanged', user: { id: 'usr_1' }, member: null });
    opened[0]?.hear({ type: 'complete', id: '2' });
    expect(statuses.at(-1)).toBe('completed');
  });

  test('a broken chain is told, nothing of it is taken, and the stream goes on after the last good event', async () => {
    const { opened, follow } = line();
    const { events, problems } = follow();
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    opened[0]?.tell({ ...caughtUp(5, 6), __typename: 'ConversationChanged' });
    expect(problems).toMatchObject([{ code: 'CHAIN_BROKEN', message: 'An event of cnv_1 must join on to 4, got one after 5.' }]);
    expect(opened[0]?.sent.at(-1)).toEqual({ type: 'complete', id: '1' });
    opened[0]?.tell({ ...caughtUp(4, 5), __typename: 'ConversationChanged' });
    expect(events).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(500);
    expect(opened[0]?.sent.at(-1)).toMatchObject({ type: 'subscribe', payload: { variables: { after: 'at 4' } } });
  });

  test('a sign of the browser ends the wait for a lost connection, and not the one the server asked for', async () => {
    const { opened, follow } = line();
    const { following, statuses } = follow();
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.drop(1006);
    following.hurry();
    await vi.advanceTimersByTimeAsync(0);
    expect(opened).toHaveLength(2);
    opened[1]?.acknowledge();
    opened[1]?.hear({ type: 'error', id: '2', payload: [{ message: 'Later.', extensions: { code: 'OVERLOADED', retryAfterMs: 600 } }] });
    following.hurry();
    expect(statuses.at(-1)).toBe('waiting');
    await vi.advanceTimersByTimeAsync(1_600);
    expect(statuses.at(-1)).toBe('connecting');
  });

  test('a passing signal, which has no number, is told and moves nothing', async () => {
    const { opened, follow } = line();
    const { events, following } = follow();
    await vi.advanceTimersByTimeAsync(0);
    opened[0]?.acknowledge();
    opened[0]?.tell(caughtUp(0, 4));
    opened[0]?.tell({ __typename: 'TypingChanged', conversationId: 'cnv_1', sequence: null, previousSequence: null, cursor: null });
    opened[0]?.tell({ ...caughtUp(4, 5), __typename: 'ConversationChanged' });
    expect(events).toHaveLength(3);
    expect(following.cursor).toBe('at 5');
  });
});

function caughtUp(previousSequence: number, sequence: number) {
  return { __typename: 'CaughtUp', conversationId: 'cnv_1', previousSequence, sequence, cursor: `at ${sequence}` };
}

type Frame = { readonly type: string; readonly id?: string; readonly payload?: unknown };

/** The other end of a socket, in the hands of the test. */
class FakeSocket implements SocketLike {
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  readonly sent: Frame[] = [];
  isClosed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  acknowledge(): void {
    this.onopen?.(undefined as never);
    this.hear({ type: 'connection_ack' });
  }

  hear(message: Frame): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }

  /** An event of the newest stream. */
  tell(events: object): void {
    const id = this.sent.findLast(({ type }) => type === 'subscribe')?.id ?? '';
    this.hear({ type: 'next', id, payload: { data: { events } } });
  }

  drop(code: number): void {
    this.onclose?.({ code, reason: '' } as never);
  }
}

function line() {
  const opened: FakeSocket[] = [];
  const webSocketImpl = class extends FakeSocket {
    constructor() {
      super();
      opened.push(this);
    }
  };
  const options: ClientOptions = { url: 'http://rookery.test/graphql', accessToken: () => 'a token', webSocketImpl, random: () => 1 };
  return {
    opened,
    follow() {
      const events: unknown[] = [];
      const statuses: string[] = [];
      const problems: RookeryProblem[] = [];
      const following = createRookeryClient(options).followConversation({
        conversationId: 'cnv_1',
        onEvent: (event) => events.push(event),
        onStatus: (status) => statuses.push(status),
        onProblem: (problem) => problems.push(problem),
      });
      return { following, events, statuses, problems };
    },
  };
}
