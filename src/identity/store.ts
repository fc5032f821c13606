import { AppError } from '../platform/errors.ts';
import { type Sql, violatedConstraint } from '../platform/postgres.ts';
import { type Tier, tierOf, type User } from './user.ts';

/** A session that begins, or the next refresh token of one. `tokenHash` in hexadecimal digits. */
export type SessionRow = { readonly sessionUuid: string; readonly tokenHash: string; readonly at: Date; readonly expiresAt: Date };

export type NewUserRow = { readonly uuid: string; readonly handle: string; readonly displayName: string; readonly passwordHash: string };

type UserRow = {
  readonly id: number;
  readonly public_id: string;
  readonly handle: string;
  readonly display_name: string;
  readonly avatar_url: string | null;
  readonly created_at: Date;
};

/** The user's key. CONFLICT when the handle is taken, which only the database can tell. */
export async function signUp(sql: Sql, user: NewUserRow, session: SessionRow): Promise<number> {
  try {
    const [row] = await sql<{ key: number }>`
      SELECT sign_up(${user.uuid}::uuid, ${user.handle}::text, ${user.displayName}::text, ${user.passwordHash}::text, ${session.sessionUuid}::uuid,
        decode(${session.tokenHash}::text, 'hex'), ${session.at.toISOString()}::timestamptz, ${session.expiresAt.toISOString()}::timestamptz) AS key`;
    if (row === undefined) throw new Error('sign_up must answer one row.');
    return row.key;
  } catch (error) {
    if (violatedConstraint(error) !== 'users_handle_key') throw error;
    throw new AppError('CONFLICT', `The handle "${user.handle}" is taken: choose another.`, { field: 'input.handle' }, { cause: error });
  }
}

export async function openSession(sql: Sql, userKey: number, session: SessionRow): Promise<void> {
  await sql`
    SELECT open_session(${userKey}::bigint, ${session.sessionUuid}::uuid, decode(${session.tokenHash}::text, 'hex'),
      ${session.at.toISOString()}::timestamptz, ${session.expiresAt.toISOString()}::timestamptz)`;
}

/** Without a user when the token was UNKNOWN. */
export type Refreshed = {
  readonly status: 'REFRESHED' | 'UNKNOWN' | 'EXPIRED' | 'REUSED';
  readonly held: { readonly user: User; readonly sessionUuid: string } | null;
};

export async function refreshSession(sql: Sql, oldHash: string, newToken: Omit<SessionRow, 'sessionUuid'>): Promise<Refreshed> {
  const [row] = await sql<{ status: Refreshed['status']; session_public_id: string } & Nullable<UserRow>>`
    SELECT r.status, r.session_public_id, u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at
      FROM refresh_session(decode(${oldHash}::text, 'hex'), decode(${newToken.tokenHash}::text, 'hex'),
             ${newToken.at.toISOString()}::timestamptz, ${newToken.expiresAt.toISOString()}::timestamptz) r
      LEFT JOIN users u ON u.id = r.user_id`;
  if (row === undefined) throw new Error('refresh_session must answer one row.');
  return { status: row.status, held: isUserRow(row) ? { user: userOf(row), sessionUuid: row.session_public_id } : null };
}

/** The public ids of the sessions that were ended. */
export async function endSessions(
  sql: Sql,
  sessionUuid: string,
  userKey: number,
  isEverywhere: boolean,
  at: Date,
): Promise<readonly string[]> {
  const rows = await sql<{ public_id: string }>`
    SELECT e.public_id FROM end_sessions(${sessionUuid}::uuid, ${userKey}::bigint, ${isEverywhere}::boolean, ${at.toISOString()}::timestamptz) e (public_id)`;
  return rows.map((row) => row.public_id);
}

export type OpenSession = { readonly userKey: number; readonly userUuid: string; readonly tier: Tier };

/** Whose the sessions are, by their public ids; those that have ended, or never were, are left out. */
export async function openSessions(sql: Sql, sessionUuids: readonly string[]): Promise<ReadonlyMap<string, OpenSession>> {
  const rows = await sql<{ session_public_id: string; id: number; public_id: string; tier: number }>`
    SELECT s.public_id AS session_public_id, u.id, u.public_id, u.tier
      FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.public_id = ANY (${sessionUuids}::uuid[]) AND s.ended_at IS NULL`;
  return new Map(rows.map((row) => [row.session_public_id, { userKey: row.id, userUuid: row.public_id, tier: tierOf(row.tier) }]));
}

export async function userWithPassword(
  sql: Sql,
  handle: string,
): Promise<{ readonly user: User; readonly passwordHash: string | null } | null> {
  const [row] = await sql<UserRow & { password_hash: string | null }>`
    SELECT u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at, u.password_hash FROM users u WHERE u.handle = ${handle}::text`;
  return row === undefined ? null : { user: userOf(row), passwordHash: row.password_hash };
}

export async function userByHandle(sql: Sql, handle: string): Promise<User | null> {
  const [row] =
    await sql<UserRow>`SELECT u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at FROM users u WHERE u.handle = ${handle}::text`;
  return row === undefined ? null : userOf(row);
}

export async function usersByKey(sql: Sql, keys: readonly number[]): Promise<readonly User[]> {
  const rows =
    await sql<UserRow>`SELECT u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at FROM users u WHERE u.id = ANY (${keys}::bigint[])`;
  return rows.map(userOf);
}

export async function usersByUuid(sql: Sql, uuids: readonly string[]): Promise<readonly User[]> {
  const rows = await sql<UserRow>`
    SELECT u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at FROM users u WHERE u.public_id = ANY (${uuids}::uuid[])`;
  return rows.map(userOf);
}

type Nullable<Row> = { readonly [Name in keyof Row]: Row[Name] | null };

function isUserRow(row: Nullable<UserRow>): row is UserRow {
  return row.id !== null;
}

function userOf(row: UserRow): User {
  return {
    key: row.id,
    uuid: row.public_id,
    handle: row.handle,
    displayName: row.display_name,
    avatarUrl: row.avatar_url,
    createdAt: row.created_at,
  };
}
