import type { AccessRules, OBJECT_ACCESS } from '../../../src/graphql/access.ts';
import type { Person } from '../person.ts';
import type { TestServer } from '../server.ts';

export type Kind = 'GROUP' | 'CHANNEL' | 'DIRECT';
/** Who asks. Another one is added here and to ROLES, gets its context in engine.ts, and its standing in observe.ts. */
export type Role = 'anonymous' | 'stranger' | 'removed' | 'member' | 'admin' | 'owner';
export type ObjectType = keyof typeof OBJECT_ACCESS;
export type RootType = Extract<keyof AccessRules, 'Query' | 'Mutation' | 'Subscription'>;

/** Everybody of a world. `extra` is a member to whom things are done, `newcomer` somebody to be added. */
export type Cast = Readonly<Record<Exclude<Role, 'anonymous'> | 'extra' | 'newcomer', Person>>;

/** A conversation with a bit of everything in it. */
export type World = {
  readonly kind: Kind;
  /** Of this conversation alone; null for DIRECT. */
  readonly title: string | null;
  readonly cast: Cast;
  readonly conversationId: string;
  /** Written by the member, edited, answered, pinned and reacted to. */
  readonly messageId: string;
  /** Written by the one who was removed; null for DIRECT. */
  readonly messageIdOfRemoved: string | null;
  /** Where streams are followed from: before the conversation had anything in it. */
  readonly after: Places;
  /** The same, before what it has was changed. */
  readonly afterFirst: Places;
};

/** Cursors of `conversationEvents`, and of each one's `viewerEvents`. */
export type Places = { readonly cursor: string; readonly viewerCursors: ReadonlyMap<Role, string> };

/** Who there is: in a DIRECT conversation two equal members, here called owner and member. */
export const ROLES: Readonly<Record<Kind, readonly Role[]>> = {
  GROUP: ['anonymous', 'stranger', 'removed', 'member', 'admin', 'owner'],
  CHANNEL: ['anonymous', 'stranger', 'removed', 'member', 'admin', 'owner'],
  DIRECT: ['anonymous', 'stranger', 'member', 'owner'],
};

export const KINDS: readonly Kind[] = ['GROUP', 'CHANNEL', 'DIRECT'];

export async function createCast(server: TestServer): Promise<Cast> {
  const names = ['stranger', 'removed', 'member', 'admin', 'owner', 'extra', 'newcomer'] as const;
  const [stranger, removed, member, admin, owner, extra, newcomer] = await server.people(...names);
  return { stranger, removed, member, admin, owner, extra, newcomer };
}

let worlds = 0;

export async function createWorld(kind: Kind, cast: Cast): Promise<World> {
  const { owner, admin, member, extra, removed } = cast;
  worlds += 1;
  const isDirect = kind === 'DIRECT';
  const title = isDirect ? null : `World ${worlds} of all`;
  const viewersBefore = await viewerCursors(kind, cast);
  const { id, cursor } = await owner.create({ kind, title, members: isDirect ? [member] : [admin, member, extra, removed] });
  if (!isDirect) await owner.setRole(id, admin, 'ADMIN');
  const ofRemoved = isDirect ? null : await removed.send(id, 'From one who will be removed');
  const question = await owner.send(id, `@${member.handle} what do you think?`);
  const answer = await member.send(id, 'An answer', undefined, question.id);
  await owner.reply(id, answer.id, 'In the thread of the answer');
  const gone = await owner.send(id, 'To be deleted');
  const afterFirst = { cursor: gone.cursor, viewerCursors: await viewerCursors(kind, cast) };
  await owner.delete(gone.id);
  for (const person of [owner, member]) await person.react(answer.id, '👍');
  await owner.pin(answer.id);
  await member.edit(answer.id, 'A better answer');
  if (!isDirect) {
    await owner.ask('mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { cursor } }', {
      input: { conversationId: id, topic: 'What it is about' },
    });
    await owner.remove(id, removed);
  }
  return {
    kind,
    title,
    cast,
    conversationId: id,
    messageId: answer.id,
    messageIdOfRemoved: ofRemoved?.id ?? null,
    after: { cursor, viewerCursors: viewersBefore },
    afterFirst,
  };
}

export function personOf({ cast }: World, role: Role): Person | null {
  return role === 'anonymous' ? null : cast[role];
}

export function isInside(role: Role): boolean {
  return role === 'member' || role === 'admin' || role === 'owner';
}

async function viewerCursors(kind: Kind, cast: Cast): Promise<ReadonlyMap<Role, string>> {
  const entries = ROLES[kind].flatMap((role) =>
    role === 'anonymous'
      ? []
      : [cast[role].ask<{ viewer: { cursor: string } }>('{ viewer { cursor } }').then(({ viewer }) => [role, viewer.cursor] as const)],
  );
  return new Map(await Promise.all(entries));
}
