import type { Random } from '../../src/seed/random.ts';
import { signalAll } from '../kit/processes.ts';
import type { Direction, TestProxy } from '../kit/proxy.ts';
import type { NodeIndex, Path, Stage } from './stage.ts';

/** What mends it again. */
export type Heal = () => Promise<void> | void;

/** `index`: the node it strikes, or at whose side. What it leaves to chance comes from `random`, so that a seed repeats it. */
export type Fault = (stage: Stage, index: NodeIndex, random: Random) => Promise<Heal> | Heal;

/** To add one: a name here, and what it does. It must leave everything as it was once it is healed. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  async 'kill:node'(stage, index) {
    await stage.node(index).kill();
    return () => stage.startNode(index);
  },
  /** One of the two at a time: a rolling restart. */
  async 'stop:node'(stage, index) {
    const { code, signal } = await stage.node(index).stop();
    if (code !== 0) throw new Error(`A node that is asked to stop must exit with 0, got ${signal ?? code}.`);
    return () => stage.startNode(index);
  },
  'sleep:node'(stage, index) {
    stage.node(index).sleep();
    return () => stage.node(index).wake();
  },

  async 'kill:postgres'(stage) {
    await stage.postgres.kill();
    return () => stage.startPostgres();
  },
  /** With all its processes at once. */
  async 'crash:postgres'(stage) {
    await stage.postgres.kill(true);
    return () => stage.startPostgres();
  },
  /** One of its processes, for which it ends all others and recovers by itself. */
  'kill:backend'(stage, _, random) {
    signalAll([random.one(stage.postgres.backends)], 'SIGKILL');
    return () => {};
  },
  async 'stop:postgres'(stage) {
    await stage.postgres.stop();
    return () => stage.startPostgres();
  },
  'sleep:postgres'(stage) {
    stage.postgres.sleep();
    return () => stage.postgres.wake();
  },

  async 'kill:redis'({ redis }) {
    await redis.kill();
    return () => redis.start();
  },
  async 'stop:redis'({ redis }) {
    await redis.stop();
    return () => redis.start();
  },
  'sleep:redis'({ redis }) {
    redis.sleep();
    return () => redis.wake();
  },

  ...onPath('client'),
  ...onPath('postgres'),
  ...onPath('redis'),
};

export const FAULT_NAMES = Object.keys(FAULTS);

const DIRECTIONS: readonly (readonly Direction[])[] = [['toServer', 'toClient'], ['toServer'], ['toClient']];

/** What a network does: to the connections of one node to PostgreSQL or to Redis, or to those of its clients. */
function onPath(path: Path): Readonly<Record<string, Fault>> {
  const on =
    (strike: (proxy: TestProxy, random: Random) => void): Fault =>
    (stage, index, random) => {
      const proxy = stage.paths[path][index];
      strike(proxy, random);
      return () => proxy.heal();
    };
  return {
    [`cut:${path}`]: on((proxy) => proxy.cut()),
    [`refuse:${path}`]: on((proxy) => proxy.refuse()),
    [`black-hole:${path}`]: on((proxy, random) => proxy.blackHole(random.one(DIRECTIONS))),
    [`half-open:${path}`]: on((proxy, random) => proxy.halfOpen(random.one(['client', 'server']))),
    [`slow:${path}`]: on((proxy, random) => {
      const pace = { bytesPerSecond: random.whole(5_000, 100_000), delayMs: random.whole(20, 300) };
      proxy.slow(pace, random.one(DIRECTIONS));
    }),
  };
}
