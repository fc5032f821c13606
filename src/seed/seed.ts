import type postgres from 'postgres';
import { createIdentityService, type IdentityDependencies } from '../identity/identity.ts';
import { createPasswords } from '../identity/password.ts';
import { systemClock } from '../platform/clock.ts';
import { copyLine } from '../platform/copy.ts';
import { openDedicatedConnection } from '../platform/dedicated-connection.ts';
import { newUuid } from '../platform/id.ts';
import { connectPostgres, type DatabaseAddress } from '../platform/postgres.ts';
import { deriveSecrets } from '../platform/secrets.ts';
import { ChunkWriter } from './chunk.ts';
import type { SeedOptions } from './options.ts';
import { languageOf, nameOf, planConversations, type SeedPerson, signedUpUs } from './plan.ts';
import { createRandom } from './random.ts';
import { type HistoryTable, timeOf } from './rows.ts';
import * as store from './store.ts';

/** Of all seeded people. It is in the documentation, so it is given to nobody in production. */
export const SEED_PASSWORD = 'rookery seeded people';

export type SeedDependencies = {
  /** Migrated. */
  readonly address: DatabaseAddress;
  readonly options: SeedOptions;
  readonly config: IdentityDependencies['config'] & {
    readonly mode: 'development' | 'production';
    readonly statementTimeoutMs: number;
    readonly lockTimeoutMs: number;
  };
  /** That of the server which is to accept the access token. Not needed in production, where there is none. */
  readonly secret: string | null;
  /** Told how far it is. */
  readonly log?: (line: string) => void;
};

export type SeedReport = {
  readonly people: number;
  readonly conversations: number;
  /** Rows by table. */
  readonly counts: Readonly<Record<HistoryTable, number>>;
  readonly durationMs: number;
  /** Somebody who is in many of the conversations. */
  readonly handle: string;
  /** Null in production, where nobody can sign in as them. */
  readonly session: { readonly accessToken: string; readonly expiresAt: Date } | null;
};

/** Somebody may be writing to these people meanwhile. */
const LOCK_TIMEOUT_MS = 60_000;
const PROGRESS_MESSAGES = 100_000;
const USERS_PER_COPY = 10_000;

/**
 * People, conversations and messages that look as if they had been written through the API. Everything is new: no row of anybody else is
 * touched, so it may run on a database in use, and again.
 */
export async function seed({ address, options, config, secret, log = () => {} }: SeedDependencies): Promise<SeedReport> {
  const start = performance.now();
  const isProduction = config.mode === 'production';
  checkMode(config.mode, options);
  await using connection = openDedicatedConnection(address, LOCK_TIMEOUT_MS);
  const { sql } = connection;
  const nowUs = await store.readNowUs(sql);
  const people = await writePeople(sql, options, nowUs, isProduction ? null : await hashOf(SEED_PASSWORD));

  const keys = await store.reserveKeys(sql, 'conversations', options.conversations);
  const writer = new ChunkWriter(sql);
  let conversations = 0;
  for (const plan of planConversations(options, people, nowUs)) {
    const key = keys[conversations];
    if (key === undefined) throw new Error('Each conversation must have a key.');
    await writer.write(key, plan);
    conversations += 1;
    const { messages } = writer.counts;
    if (messages % PROGRESS_MESSAGES < plan.messages) log(`${messages} of ${options.messages} messages …`);
  }
  await writer.commit();
  await store.analyze(sql);

  const [{ handle } = { handle: '' }] = people;
  const session = isProduction || secret === null ? null : await signIn({ address, config, secret, handle });
  return { people: people.length, conversations, counts: writer.counts, durationMs: performance.now() - start, handle, session };
}

/** Throws the reason when nothing is to be seeded here. */
export function checkMode(mode: 'development' | 'production', { isMeantForProduction }: SeedOptions): void {
  if (mode !== 'production' || isMeantForProduction) return;
  throw new Error(
    'With NODE_ENV=production nothing is seeded, as made-up people would stand among real ones: --yes-in-production says that you mean it. They get no password then.',
  );
}

async function writePeople(
  sql: postgres.Sql,
  options: SeedOptions,
  nowUs: number,
  passwordHash: string | null,
): Promise<readonly SeedPerson[]> {
  const random = createRandom(options.seed, -1);
  const keys = await store.reserveKeys(sql, 'users', options.people);
  const people: SeedPerson[] = [];
  for (let at = 0; at < keys.length; at += USERS_PER_COPY) {
    const group = keys.slice(at, at + USERS_PER_COPY);
    const handles = await freeHandles(
      sql,
      group.map((key, index) => `${nameOf(at + index)[0]}_${key}`),
    );
    const added = group.map((key, index) => ({
      key,
      handle: handles[index] ?? '',
      displayName: nameOf(at + index)[1],
      language: languageOf(at + index),
    }));
    const lines = added.map(({ key, handle, displayName }, index) =>
      copyLine([key, newUuid(), handle, displayName, passwordHash, random.whole(1, 4), timeOf(signedUpUs(nowUs, at + index))]),
    );
    await store.copyUsers(sql, lines.join(''));
    people.push(...added);
  }
  return people;
}

/** The key in it makes a handle almost surely free; where somebody took just that one, it gets longer. */
async function freeHandles(sql: postgres.Sql, wanted: readonly string[]): Promise<readonly string[]> {
  const taken = await store.takenHandles(sql, wanted);
  return taken.size === 0
    ? wanted
    : freeHandles(
        sql,
        wanted.map((handle) => (taken.has(handle) ? `${handle}_` : handle)),
      );
}

/** Once for all of them. */
function hashOf(password: string): Promise<string> {
  return createPasswords({ hashesMax: 1 }).hash(password);
}

async function signIn({
  address,
  config,
  secret,
  handle,
}: Pick<SeedDependencies, 'address' | 'config'> & { readonly secret: string; readonly handle: string }) {
  const { statementTimeoutMs, lockTimeoutMs } = config;
  await using database = connectPostgres({ address, connectionsMax: 1, queueMax: 1, statementTimeoutMs, lockTimeoutMs });
  const secrets = deriveSecrets(secret);
  // Whether people may: this one is given a token by who holds the database.
  const identity = createIdentityService({
    sql: database.sql,
    secrets,
    clock: systemClock,
    config: { ...config, arePasswordsEnabled: true },
  });
  const { accessToken, expiresAt } = await identity.signIn({ handle, password: SEED_PASSWORD });
  return { accessToken, expiresAt };
}
