import { OBJECT_ACCESS } from '../../../src/graphql/access.ts';
import type { SocketClient } from '../ws-client.ts';
import type { Engine } from './engine.ts';
import type { Call, Observation } from './observe.ts';
import { rootFields } from './operation.ts';
import { createCast, createWorld, KINDS, type Kind, type ObjectType, ROLES, type Role, type World } from './world.ts';

/** Fields that answer whatever type of object the id is of: asked for one of each. */
const BY_ID = ['Query.node', 'Query.nodes'];

/** What changes who is in a conversation or takes its messages away: whoever comes next needs another one. */
const SPENDS_ITS_WORLD: readonly string[] = [
  'Mutation.addMembers',
  'Mutation.deleteMessage',
  'Mutation.joinChannel',
  'Mutation.leaveConversation',
  'Mutation.removeMember',
  'Mutation.setMemberRole',
];

/** Every way in which these people may call a root field. */
export function callsOf(field: string, kind: Kind, roles: readonly Role[] = ROLES[kind]): readonly Call[] {
  // The keys of the table are its types.
  const types = Object.keys(OBJECT_ACCESS) as ObjectType[];
  const targets = BY_ID.includes(field) ? types : [null];
  return roles.flatMap((role) => targets.map((target) => ({ field, kind, role, target })));
}

/** Calls everything, in each kind of conversation: what reads in the worlds given, what changes in others with other people. */
export async function observeAll(engine: Engine, worlds: readonly World[]): Promise<readonly Observation[]> {
  const observed = await Promise.all([
    ...worlds.map(async (world) => {
      const all: Observation[] = [];
      // So that there is a presence to be seen, by some.
      await using _socket = await world.cast.owner.connect();
      for (const field of rootFields().filter((each) => !isMutation(each)))
        for (const call of callsOf(field, world.kind)) all.push(...(await engine.run(call, world)));
      return [...all, ...(await observeSignals(engine, world))];
    }),
    ...KINDS.map(async (kind) => {
      const all: Observation[] = [];
      const cast = await createCast(engine.server);
      let world: World | null = null;
      for (const call of rootFields()
        .filter(isMutation)
        .flatMap((field) => callsOf(field, kind))) {
        world ??= await createWorld(kind, cast);
        const observations = await engine.run(call, world);
        all.push(...observations);
        if (SPENDS_ITS_WORLD.includes(call.field) && observations[0]?.outcome === 'value') world = null;
      }
      return all;
    }),
  ]);
  return observed.flat();
}

/** What is told for a moment and never again: only to who listens. A reader in a CHANNEL is told of to their own devices alone. */
async function observeSignals(engine: Engine, world: World): Promise<readonly Observation[]> {
  const { conversationId, kind, cast } = world;
  if (kind !== 'GROUP') return [];
  const all: Observation[] = [];
  const people = [cast.extra, cast.admin];
  for (const field of rootFields().filter((each) => each.startsWith('Subscription.'))) {
    const person = people.pop();
    if (person === undefined) throw new Error(`There must be somebody who does something while ${field} is followed.`);
    const sockets: SocketClient[] = [];
    const act = async () => {
      await person.setTyping(conversationId, true);
      await person.markRead(conversationId, 1);
      sockets.push(await person.connect());
    };
    const typenames = ['TypingChanged', 'ReadMoved', 'PresenceChanged'];
    all.push(...(await engine.runLive({ field, kind, role: 'owner', target: null }, world, act, typenames)));
    for (const socket of sockets) await socket[Symbol.asyncDispose]();
  }
  return all;
}

function isMutation(field: string): boolean {
  return field.startsWith('Mutation.');
}
