import type { Conversation, ConversationRef } from '../conversations/conversation.ts';
import { type Conversations, notFound } from '../conversations/conversations.ts';
import type { Bus } from '../events/bus.ts';
import type { Identity, IdentityService } from '../identity/identity.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { TYPING_CHANGE_INTERVAL_MS, TYPING_CHANGES_MAX, TYPING_MS, TYPING_REPEAT_MS } from './rules.ts';

export type TypingDependencies = {
  readonly bus: Bus;
  readonly conversations: Pick<Conversations, 'refer' | 'byKey'>;
  readonly identity: Pick<IdentityService, 'userByUuid'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly typingMs?: number;
  readonly repeatMs?: number;
};

/** What one device said last in one conversation. Times by the monotonic clock. */
type Said = {
  readonly isTyping: boolean;
  /** Of the conversation then: a message that has come since may have ended the typing. */
  readonly messageCount: number;
  readonly publishedAt: number;
  saidAt: number;
  timer: NodeJS.Timeout | undefined;
};

/** Devices in conversations that are remembered at most; for the oldest the next signal is passed on, whether or not it is new. */
const REMEMBERED_MAX = 10_000;

export type Typing = Disposable & {
  /**
   * Members only, NOT_FOUND for others. It goes on until `typingMs` after the last signal: one that is held back because it says nothing
   * new is made up for within `repeatMs`, with its own age. When the node dies before that, or somebody wrote meanwhile, typing ends
   * up to `repeatMs` early; it never ends late. Who changes back and forth without end is not passed on each time, as each change is told
   * to all who listen: beyond TYPING_CHANGES_MAX it is as if nothing had been said.
   */
  set(viewer: Identity, device: string, conversationUuid: string, isTyping: boolean): Promise<Conversation>;
};

export function createTyping(dependencies: TypingDependencies): Typing {
  const { bus, conversations, identity, clock, logger, typingMs = TYPING_MS, repeatMs = TYPING_REPEAT_MS } = dependencies;
  /** In the order in which they were published. */
  const remembered = new Map<string, Said>();
  /** Of people in conversations: when all their changes will have had their interval. The least recently changed first. */
  const changedUntil = new Map<string, number>();

  async function read(viewer: Identity, { key }: ConversationRef): Promise<Conversation> {
    const [conversation] = await conversations.byKey(viewer.userKey, [key]);
    if ((conversation?.viewerMembership ?? null) === null || conversation === undefined) throw notFound();
    return conversation;
  }

  async function publish(viewer: Identity, device: string, conversationKey: number, isTyping: boolean, saidAt: number): Promise<void> {
    const user = await identity.userByUuid(viewer.userUuid);
    if (user === null) throw notFound();
    const remainingMs = typingMs - (clock.monotonic() - saidAt);
    if (isTyping && remainingMs <= 0) return;
    bus.publish({
      kind: 'signal',
      conversationKey,
      signal: { __typename: 'TypingChanged', user, isTyping, atUs: clock.now() * 1_000 },
      typing: { device, remainingMs },
    });
  }

  function remember(key: string, said: Said): void {
    forget(key);
    remembered.set(key, said);
    const [oldest] = remembered.keys();
    if (oldest !== undefined && remembered.size > REMEMBERED_MAX) forget(oldest);
  }

  function forget(key: string): void {
    clearTimeout(remembered.get(key)?.timer);
    remembered.delete(key);
  }

  function changesTooMuch(key: string, now: number): boolean {
    const until = Math.max(changedUntil.get(key) ?? now, now);
    if (until - now > (TYPING_CHANGES_MAX - 1) * TYPING_CHANGE_INTERVAL_MS) return true;
    changedUntil.delete(key);
    changedUntil.set(key, until + TYPING_CHANGE_INTERVAL_MS);
    const [oldest] = changedUntil.keys();
    if (oldest !== undefined && changedUntil.size > REMEMBERED_MAX) changedUntil.delete(oldest);
    return false;
  }

  /** Passes on what was held back, unless a message has ended the typing, or the membership has ended. */
  async function makeUp(viewer: Identity, device: string, ref: ConversationRef, key: string, said: Said): Promise<void> {
    if (remembered.get(key) !== said) return;
    forget(key);
    const { messageCount } = await read(viewer, ref);
    if (messageCount !== said.messageCount || remembered.has(key)) return;
    remember(key, { ...said, publishedAt: clock.monotonic(), timer: undefined });
    await publish(viewer, device, ref.key, true, said.saidAt);
  }

  return {
    async set(viewer, device, conversationUuid, isTyping) {
      const ref = await conversations.refer(conversationUuid);
      const conversation = await read(viewer, ref);
      const { messageCount } = conversation;
      const key = `${ref.key}:${device}`;
      const now = clock.monotonic();
      const said = remembered.get(key);
      const saysNothingNew = said?.isTyping === isTyping && said.messageCount === messageCount && now - said.publishedAt < repeatMs;
      if (said === undefined || !saysNothingNew) {
        if (changesTooMuch(`${ref.key}:${viewer.userKey}`, now)) return conversation;
        remember(key, { isTyping, messageCount, publishedAt: now, saidAt: now, timer: undefined });
        await publish(viewer, device, ref.key, isTyping, now);
        return conversation;
      }
      said.saidAt = now;
      if (isTyping) {
        said.timer ??= setTimeout(
          () =>
            makeUp(viewer, device, ref, key, said).catch((error: unknown) => logger.debug({ err: error }, 'Typing could not be passed on')),
          said.publishedAt + repeatMs - now,
        ).unref();
      }
      return conversation;
    },

    [Symbol.dispose]() {
      for (const key of [...remembered.keys()]) forget(key);
    },
  };
}
