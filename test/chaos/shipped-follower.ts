import { createRookeryClient, type RookeryProblem, type Status } from '../../src/client/client.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { Reading, type ReadingOptions } from './reading.ts';
import { EVENT_SELECTION, type EventAnswer } from './told.ts';

/** Those who were told to wait come back earlier than they would, as the deadlines are counted from healing. */
const HURRY = 0.25;
const PING_INTERVAL_MS = 5_000;
const PONG_TIMEOUT_MS = 4_000;

/** The client that ships, whose address leads to the one node and to the other in turn. Each of its attempts is a stream. */
export class ShippedFollower implements AsyncDisposable {
  readonly reading: Reading;
  readonly #balancer: TestProxy;
  readonly #client: ReturnType<typeof createRookeryClient>;

  private constructor(options: ReadingOptions, balancer: TestProxy) {
    this.reading = new Reading(options);
    this.#balancer = balancer;
    this.#client = createRookeryClient({
      url: `${balancer.url}/graphql`,
      accessToken: () => options.person.accessToken,
      random: () => Math.random() * HURRY,
      pingIntervalMs: PING_INTERVAL_MS,
      pongTimeoutMs: PONG_TIMEOUT_MS,
    });
  }

  static async start(options: ReadingOptions): Promise<ShippedFollower> {
    const follower = new ShippedFollower(options, await startProxy(0));
    follower.#follow(options);
    return follower;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
    await this.#balancer[Symbol.asyncDispose]();
  }

  #follow({ conversation, person, after }: ReadingOptions): void {
    const options = {
      after,
      selection: EVENT_SELECTION,
      onEvent: (event: EventAnswer) => this.reading.take(event),
      onStatus: (status: Status, problem: RookeryProblem | null) => this.#become(status, problem),
    };
    if (conversation === null) this.#client.followInbox({ ...options, viewerId: person.id });
    else this.#client.followConversation({ ...options, conversationId: conversation });
  }

  #become(status: Status, problem: RookeryProblem | null): void {
    const { witness, name } = this.reading.options;
    if (status === 'connecting') this.#balancer.targetPort = Number(new URL(this.reading.open().url).port);
    else if (status === 'waiting' || status === 'stopped') this.reading.close('cut', status);
    else if (status !== 'live') witness.wrong.push(`The client of ${name} must go on, has ${status}: ${problem?.message ?? 'no problem'}`);
  }
}
