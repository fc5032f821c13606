import type { Random } from '../../src/seed/random.ts';
import { childrenOf, signalAll } from '../kit/processes.ts';
import { until } from '../kit/until.ts';
import type { EmbeddedServer } from './embedded-server.ts';

/** What is killed, without any chance to say goodbye. Resolves when the server is said to be ready again, or need not be started. */
export type Crash = (server: EmbeddedServer, random: Random) => Promise<void>;

/** The longest wait, from the beginning of a start, for the moment at which it is killed: past the moment at which it is ready. */
const START_KILLED_MS_MAX = 1_500;
const RESTART_DEADLINE_MS = 60_000;

export const CRASHES = {
  /** Its database goes by itself, and is waited for. */
  async server(server) {
    await server.kill();
    await server.start();
  },

  /** The server stays, and starts it again. */
  async postmaster(server) {
    const killed = await server.postmaster();
    signalAll([killed], 'SIGKILL');
    // Backends that have not noticed yet may still answer.
    await until(
      () => server.postmaster(),
      (postmaster) => postmaster !== killed,
      RESTART_DEADLINE_MS,
    );
  },

  /** One process of the database, of whatever use: all others are ended for it, and what they had not written down is gone. */
  async backend(server, random) {
    signalAll([random.one(childrenOf(await server.postmaster()))], 'SIGKILL');
  },

  /** All at once, as when the machine is lost; what the system had been given to write it keeps. */
  async machine(server) {
    await killMachine(server);
    await server.start();
  },

  /** All at once, and once more in the middle of the start that follows. */
  async start(server, random) {
    await killMachine(server);
    await server.startAndKill(random.whole(50, START_KILLED_MS_MAX));
    await server.start();
  },
} satisfies Readonly<Record<string, Crash>>;

export type CrashName = keyof typeof CRASHES;
export const CRASH_NAMES = Object.keys(CRASHES) as readonly CrashName[]; // Their keys.

async function killMachine(server: EmbeddedServer): Promise<void> {
  const postmaster = await server.postmaster();
  signalAll([server.pid, postmaster, ...childrenOf(postmaster)], 'SIGKILL');
  await server.kill();
}
