import type { AccessRules, OBJECT_ACCESS } from '../../../src/graphql/access.ts';
import { changeRole } from '../../../src/identity/admins.ts';
import { systemClock } from '../../../src/platform/clock.ts';
import { decodeId, encodeId } from '../../../src/platform/id.ts';
import { connectPostgres } from '../../../src/platform/postgres.ts';
import { Person } from '../person.ts';
import type { TestServer } from '../server.ts';

export type Kind = 'GROUP' | 'CHANNEL' | 'DIRECT';
/** Who asks. Another one is added here and to ROLES, gets its context in engine.ts, and its standing in observe.ts. */
export type Role = 'anonymous' | 'service' | 'stranger' | 'administrator' | 'removed' | 'member' | 'admin' | 'owner';
export type ObjectType = keyof typeof OBJECT_ACCESS;
export type RootType = Extract<keyof AccessRules, 'Query' | 'Mutation' | 'Subscription'>;

/** Who asks as nobody: the service acts for no user. */
type Nobody = 'anonymous' | 'service';

/**
 * Everybody of a world. `administrator` is one of the server, and of no conversation; `extra` is a member to whom things are done, `newcomer`
 * somebody to be added; `elsewhere` is the owner again, in a session of theirs that nobody goes by.
 */
export type Cast = Readonly<Record<Exclude<Role, Nobody> | 'extra' | 'newcomer' | 'elsewhere', Person>>;

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
  GROUP: ['anonymous', 'service', 'stranger', 'administrator', 'removed', 'member', 'admin', 'owner'],
  CHANNEL: ['anonymous', 'service', 'stranger', 'administrator', 'removed', 'member', 'admin', 'owner'],
  DIRECT: ['anonymous', 'service', 'stranger', 'administrator', 'member', 'owner'],
};

export const KINDS: readonly Kind[] = ['GROUP', 'CHANNEL', 'DIRECT'];

/** By which the service is known to the server of these tests. */
export const SERVICE_TOKEN = 'the-service-token-of-the-rules-0123456789';

export async function createCast(server: TestServer): Promise<Cast> {
  const names = ['stranger', 'administrator', 'removed', 'member', 'admin', 'owner', 'extra', 'newcomer'] as const;
  const [stranger, administrator, removed, member, admin, owner, extra, newcomer] = await server.people(...names);
  // Before their token is first seen, so that nothing else is remembered of them.
  const { address } = server.database;
  await using database = connectPostgres({ address, connectionsMax: 1, queueMax: 1, statementTimeoutMs: 10_000, lockTimeoutMs: 10_000 });
  await changeRole(database.sql, systemClock, administrator.handle, 'ADMIN');
  const elsewhere = await Person.signIn(server.url, owner.handle);
  return { stranger, administrator, removed, member, admin, owner, extra, newcomer, elsewhere };
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

export function personOf({ cast }: Pick<World, 'cast'>, role: Role): Person | null {
  return role === 'anonymous' || role === 'service' ? null : cast[role];
}

/** The ids of what only they may see: by whom they are and by the tokens they hold, whatever the server says is theirs. */
export function ownIdsOf({ cast }: World, role: Role): ReadonlySet<string> {
  const person = personOf({ cast }, role);
  if (person === null) return new Set();
  const people = role === 'owner' ? [person, cast.elsewhere] : [person];
  return new Set([viewerIdOf(person), ...people.map(sessionIdOf)]);
}

export function viewerIdOf({ id }: Person): string {
  return encodeId('vwr', uuidOf('usr', id));
}

/** Of the session that their access token is of. */
export function sessionIdOf({ accessToken }: Person): string {
  const [, payload = ''] = accessToken.split('.');
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  if (typeof claims !== 'object' || claims === null || !('sid' in claims)) throw new Error('An access token must name its session.');
  return encodeId('ses', String(claims.sid));
}

export function uuidOf(prefix: 'usr' | 'cnv', id: string): string {
  const uuid = decodeId(prefix, id);
  if (uuid === null) throw new Error(`Must be an id of ${prefix}, got ${id}.`);
  return uuid;
}

export function isInside(role: Role): boolean {
  return role === 'member' || role === 'admin' || role === 'owner';
}

async function viewerCursors(kind: Kind, cast: Cast): Promise<ReadonlyMap<Role, string>> {
  const entries = ROLES[kind].flatMap((role) => {
    const person = personOf({ cast }, role);
    if (person === null) return [];
    return [person.ask<{ viewer: { cursor: string } }>('{ viewer { cursor } }').then(({ viewer }) => [role, viewer.cursor] as const)];
  });
  return new Map(await Promise.all(entries));
}
