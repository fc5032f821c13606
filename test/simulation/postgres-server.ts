import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { migrate } from '../../src/platform/migrate.ts';
import type { DatabaseAddress, Parameter } from '../../src/platform/postgres.ts';
import { rowsFormOf } from '../../src/platform/statement.ts';
import { FUNCTION_FILES, MIGRATIONS_DIRECTORY } from '../../src/schema-files.ts';
import { installChangeLog } from '../proof/change-log.ts';
import { mutate } from './loader.ts';
import { POISON } from './model-writes.ts';
import type { Mutant } from './mutants.ts';
import type { Order, Settled, ThreadData } from './postgres-thread.ts';

const ANSWER_WITHIN_MS = 60_000;

/** The session in which everything is read, and what the simulation itself wants to know. */
const READER = 0;

/**
 * A real PostgreSQL for a simulation, whose time stands still meanwhile: who asks sleeps until it is answered. Connections live in a thread of
 * their own, with real timers. A statement that waits for a lock counts as settled for now, and settles again when that is released.
 */
export class PostgresServer implements AsyncDisposable {
  readonly #admin: DatabaseAddress;
  readonly #name: string;
  readonly #thread: Worker;
  readonly #channel = new MessageChannel();
  readonly #answers = new Int32Array(new SharedArrayBuffer(4));

  private constructor(admin: DatabaseAddress, name: string, address: DatabaseAddress) {
    this.#admin = admin;
    this.#name = name;
    const workerData: ThreadData = { port: this.#channel.port2, answers: this.#answers, address };
    this.#thread = new Worker(new URL('postgres-thread.ts', import.meta.url), { workerData, transferList: [this.#channel.port2] });
  }

  /** With a database of its own on the server of this address, the functions with the mutant in them if it is one of theirs. */
  static async open(admin: DatabaseAddress, mutant: Mutant | null): Promise<PostgresServer> {
    const name = `rookery_simulation_${randomBytes(6).toString('hex')}`;
    const address = inDatabase(admin, name);
    await using connection = openDedicatedConnection(admin);
    await connection.sql.unsafe(`CREATE DATABASE ${name} TEMPLATE template0`);
    await connection.sql.unsafe(`ALTER DATABASE ${name} SET synchronous_commit = off`);
    await migrate({ address, directory: MIGRATIONS_DIRECTORY, functions: FUNCTION_FILES });
    await using own = openDedicatedConnection(address);
    await installChangeLog(own);
    await own.sql.unsafe(`ALTER TABLE messages ADD CONSTRAINT poison CHECK (body NOT LIKE '${POISON}%')`);
    const server = new PostgresServer(admin, name, address);
    await server.install(mutant);
    return server;
  }

  /** From here on the functions are those of the files, save for a mutant of theirs. */
  async install(mutant: Mutant | null): Promise<void> {
    await using connection = openDedicatedConnection(inDatabase(this.#admin, this.#name));
    for (const file of FUNCTION_FILES) await connection.sql.unsafe(readFileSync(file, 'utf8'));
    if (mutant?.file.endsWith('.sql') === true) await connection.sql.unsafe(mutate(mutant));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#order({ do: 'end' });
    this.#channel.port1.close();
    await this.#thread.terminate();
    await using connection = openDedicatedConnection(this.#admin);
    await connection.sql.unsafe(`DROP DATABASE IF EXISTS ${this.#name} WITH (FORCE)`);
  }

  /** One statement in a snapshot of its own. Throws as the driver does. */
  read(text: readonly string[], values: readonly Parameter[]): readonly object[] {
    this.start(READER, text, values, false);
    const [answer] = this.settle().filter(({ session }) => session === READER);
    if (answer === undefined) throw new Error('What is only read must not wait for a lock.');
    return rowsOf(answer);
  }

  /** A statement of a store, with the rows that the server makes of what it answers. */
  query(template: TemplateStringsArray, values: readonly Parameter[]): readonly object[] {
    const answered = this.read([...template], values);
    const form = rowsFormOf(template);
    return form === null ? answered : form.rowsOf(answered.map((row) => form.columns.map((name) => Reflect.get(row, name))));
  }

  /** Of the simulation's own, in words. */
  ask<Row extends object>(text: TemplateStringsArray, ...values: readonly Parameter[]): readonly Row[] {
    // The statement names its columns as its row does.
    return this.read([...text], values) as readonly Row[];
  }

  start(session: number, text: readonly string[], values: readonly Parameter[], begins: boolean): void {
    this.#order({ do: 'run', session, text, values, begins });
  }

  cancel(session: number): void {
    this.#order({ do: 'cancel', session });
  }

  /** What has been answered since the last time, once all that is under way waits for locks. */
  settle(): readonly Settled[] {
    const before = Atomics.load(this.#answers, 0);
    this.#order({ do: 'settle' });
    if (Atomics.wait(this.#answers, 0, before, ANSWER_WITHIN_MS) === 'timed-out')
      throw new Error('PostgreSQL has not answered for too long.');
    const received = receiveMessageOnPort(this.#channel.port1);
    if (received === undefined) throw new Error('The thread of the connections must answer what it was asked.');
    // It sends nothing else.
    return received.message as readonly Settled[];
  }

  #order(order: Order): void {
    this.#channel.port1.postMessage(order);
  }
}

/** As the driver has it. */
export class StatementError extends Error {
  readonly code: string;

  constructor({ code, message }: { readonly code: string; readonly message: string }) {
    super(message);
    this.code = code;
  }
}

export function rowsOf(settled: Settled): readonly object[] {
  if ('failure' in settled) throw new StatementError(settled.failure);
  return settled.rows;
}

function inDatabase(address: DatabaseAddress, database: string): DatabaseAddress {
  if (!('url' in address)) return { ...address, database };
  const url = new URL(address.url);
  url.pathname = `/${database}`;
  return { url: url.href };
}
