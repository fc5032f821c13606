import type { ChangeReader } from '../../src/events/change-reader.ts';
import type { SendStatements } from '../../src/messages/store.ts';
import type { Sql } from '../../src/platform/postgres.ts';
import type { Owner } from './clock.ts';
import type { DatabaseWeather } from './model-database.ts';
import type { ModelState } from './model-state.ts';

/** What nodes have of a database. */
export type Connected = { readonly reader: ChangeReader; readonly statements: SendStatements; readonly sql: Sql };

/** One server for all nodes: the model, or PostgreSQL. Statements are its own affair; when they begin, commit, are answered or fail is chance's. */
export type SimulatedDatabase = {
  /** What is committed; for PostgreSQL, as much of it as people must know to do something sensible, and in the end all. */
  readonly state: ModelState;
  weather: DatabaseWeather;
  /** Told of each commit of a statement that a node waits for, before anything is answered. */
  onCommitted: (owner: Owner) => void;
  /** The conversations are there, as their members were when they began. */
  begin(): void;
  connect(owner: Owner): Connected;
  /** Somebody else's transaction, in whatever database of the server, that takes long: snapshots see it as unfinished. */
  holdTransaction(ms: number): void;
  /** Somebody else's lock on a conversation. */
  holdLock(key: number, ms: number): void;
  /** It is over: the state is complete now. */
  end(): void;
};
