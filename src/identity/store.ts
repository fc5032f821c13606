import { AppError } from '../platform/errors.ts';
import { type Sql, violatedConstraint } from '../platform/postgres.ts';
import type { Claims } from './claims.ts';
import type { UserSession } from './session.ts';
import { type Tier, tierNumber, tierOf, type User, type UserRole, userRoleNumber, userRoleOf } from './user.ts';

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

/** False, and nothing is changed, when the user was deactivated. */
export async function beginSession(sql: Sql, userKey: number, session: SessionRow): Promise<boolean> {
  const [row] = await sql<{ has_begun: boolean }>`
    SELECT begin_session(${userKey}::bigint, ${session.sessionUuid}::uuid, decode(${session.tokenHash}::text, 'hex'),
      ${session.at.toISOString()}::timestamptz, ${session.expiresAt.toISOString()}::timestamptz) AS has_begun`;
  return row?.has_begun === true;
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
  sessionUuid: string | null,
  userKey: number,
  isEverywhere: boolean,
  at: Date,
): Promise<readonly string[]> {
  const rows = await sql<{ public_id: string }>`
    SELECT e.public_id FROM end_sessions(${sessionUuid}::uuid, ${userKey}::bigint, ${isEverywhere}::boolean, ${at.toISOString()}::timestamptz) e (public_id)`;
  return rows.map((row) => row.public_id);
}

/** Whose the session is, or just the user where there is none. */
export type Subject = { readonly sessionUuid: string | null; readonly userUuid: string };

/** Somebody who may go on. */
export type ActiveUser = { readonly userKey: number; readonly userUuid: string; readonly tier: Tier; readonly role: UserRole };

type ActiveRow = {
  readonly subject: string;
  readonly id: number;
  readonly public_id: string;
  readonly tier: number;
  readonly role: number;
};

/** By session where there is one, else by user. Sessions that have ended, users who were deactivated, and what never was are left out. */
export async function activeUsers(sql: Sql, subjects: readonly Subject[]): Promise<ReadonlyMap<string, ActiveUser>> {
  const { sessionUuids, userUuids } = split(subjects);
  return activeOf(await sql<ActiveRow>`SELECT a.* FROM active_users(${sessionUuids}::uuid[], ${userUuids}::uuid[]) a`);
}

/** The same of all who are connected, under a text of its own: it runs by the clock, and is told apart where statements are counted. */
export async function connectedUsers(sql: Sql, subjects: readonly Subject[]): Promise<ReadonlyMap<string, ActiveUser>> {
  const { sessionUuids, userUuids } = split(subjects);
  return activeOf(await sql<ActiveRow>`SELECT connected.* FROM active_users(${sessionUuids}::uuid[], ${userUuids}::uuid[]) connected`);
}

function split(subjects: readonly Subject[]) {
  return {
    sessionUuids: subjects.flatMap(({ sessionUuid }) => (sessionUuid === null ? [] : [sessionUuid])),
    userUuids: subjects.flatMap(({ sessionUuid, userUuid }) => (sessionUuid === null ? [userUuid] : [])),
  };
}

function activeOf(rows: readonly ActiveRow[]): ReadonlyMap<string, ActiveUser> {
  return new Map(
    rows.map(({ subject, id, public_id, tier, role }) => [
      subject,
      { userKey: id, userUuid: public_id, tier: tierOf(tier), role: userRoleOf(role) },
    ]),
  );
}

/** Newest first: the sessions of a user that go on and began before the one of this key. */
export async function sessionsOf(
  sql: Sql,
  userKey: number,
  beforeKey: number | null,
  limit: number,
  at: Date,
): Promise<readonly UserSession[]> {
  const rows = await sql<SessionsRow>`
    SELECT s.id, s.public_id, s.created_at, t.created_at AS refreshed_at
      FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id AND t.spent_at IS NULL AND t.expires_at > ${at.toISOString()}::timestamptz
     WHERE s.user_id = ${userKey}::bigint AND s.ended_at IS NULL AND s.id < ${beforeKey ?? Number.MAX_SAFE_INTEGER}::bigint
     ORDER BY s.id DESC LIMIT ${limit}::integer`;
  return rows.map(sessionOf);
}

export async function sessionByUuid(sql: Sql, userKey: number, uuid: string, at: Date): Promise<UserSession | null> {
  const [row] = await sql<SessionsRow>`
    SELECT s.id, s.public_id, s.created_at, t.created_at AS refreshed_at
      FROM sessions s JOIN refresh_tokens t ON t.session_id = s.id AND t.spent_at IS NULL AND t.expires_at > ${at.toISOString()}::timestamptz
     WHERE s.public_id = ${uuid}::uuid AND s.user_id = ${userKey}::bigint AND s.ended_at IS NULL`;
  return row === undefined ? null : sessionOf(row);
}

type SessionsRow = { readonly id: number; readonly public_id: string; readonly created_at: Date; readonly refreshed_at: Date };

function sessionOf({ id, public_id, created_at, refreshed_at }: SessionsRow): UserSession {
  return { key: id, uuid: public_id, createdAt: created_at, refreshedAt: refreshed_at };
}

export type MetUser = ActiveUser & { readonly isDeactivated: boolean };

/** The user whom the identity provider knows by this id, made on first sight; what its claims change is changed. */
export async function meetExternalUser(
  sql: Sql,
  newUuid: string,
  { externalId, handles, displayName, avatarUrl, tier, role }: Claims,
  issuedAt: Date | null,
  at: Date,
): Promise<MetUser> {
  const [row] = await sql<{ user_id: number; user_public_id: string; user_tier: number; user_role: number; is_deactivated: boolean }>`
    SELECT m.* FROM meet_external_user(${newUuid}::uuid, ${externalId}::text, ${handles}::text[], ${displayName}::text, ${avatarUrl}::text,
      ${tier === null ? null : tierNumber(tier)}::smallint, ${role === null ? null : userRoleNumber(role)}::smallint,
      ${issuedAt?.toISOString() ?? null}::timestamptz, ${at.toISOString()}::timestamptz) m`;
  if (row === undefined) throw new Error('meet_external_user must answer one row.');
  return {
    userKey: row.user_id,
    userUuid: row.user_public_id,
    tier: tierOf(row.user_tier),
    role: userRoleOf(row.user_role),
    isDeactivated: row.is_deactivated,
  };
}

export type UserInput = {
  readonly handle: string;
  readonly displayName: string;
  readonly externalId: string | null;
  readonly avatarUrl: string | null;
  readonly tier: Tier;
};

export type TieredUser = { readonly user: User; readonly tier: Tier };

/** The user of the external id as they are, else a new one; null when the handle is taken. */
export async function createUser(sql: Sql, uuid: string, input: UserInput, at: Date): Promise<TieredUser | null> {
  const { handle, displayName, externalId, avatarUrl, tier } = input;
  const [row] = await sql<Nullable<UserRow & { readonly tier: number }>>`
    SELECT c.* FROM create_user(${uuid}::uuid, ${handle}::text, ${displayName}::text, ${avatarUrl}::text, ${externalId}::text,
      ${tierNumber(tier)}::smallint, ${at.toISOString()}::timestamptz) c`;
  return row === undefined || !isUserRow(row) || row.tier === null ? null : { user: userOf(row), tier: tierOf(row.tier) };
}

/** Undefined: unchanged. Null when there is no such user. */
export async function updateProfile(
  sql: Sql,
  userKey: number,
  { displayName, avatarUrl }: { readonly displayName?: string; readonly avatarUrl?: string | null },
  at: Date,
): Promise<User | null> {
  const [row] = await sql<UserRow>`
    UPDATE users u
       SET display_name = coalesce(${displayName ?? null}::text, u.display_name),
           avatar_url = CASE WHEN ${avatarUrl !== undefined}::boolean THEN ${avatarUrl ?? null}::text ELSE u.avatar_url END,
           profile_at = greatest(u.profile_at, ${at.toISOString()}::timestamptz)
     WHERE u.id = ${userKey}::bigint
    RETURNING u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at`;
  return row === undefined ? null : userOf(row);
}

/** Null when there is no such user. */
export async function setTier(sql: Sql, userUuid: string, tier: Tier, at: Date): Promise<User | null> {
  const [row] = await sql<UserRow>`
    UPDATE users u SET tier = ${tierNumber(tier)}::smallint, tier_at = greatest(u.tier_at, ${at.toISOString()}::timestamptz)
     WHERE u.public_id = ${userUuid}::uuid
    RETURNING u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at`;
  return row === undefined ? null : userOf(row);
}

/** Ends the user's sessions too. False when there is no such user. */
export async function deactivateUser(sql: Sql, userUuid: string, at: Date): Promise<boolean> {
  const [row] = await sql<{ found: boolean }>`SELECT deactivate_user(${userUuid}::uuid, ${at.toISOString()}::timestamptz) AS found`;
  return row?.found === true;
}

/** Null when there is no such user. */
export async function reactivateUser(sql: Sql, userUuid: string): Promise<User | null> {
  const [row] = await sql<UserRow>`
    UPDATE users u SET deactivated_at = NULL WHERE u.public_id = ${userUuid}::uuid
    RETURNING u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at`;
  return row === undefined ? null : userOf(row);
}

/** The role the user had before; null when there is no such user. */
export async function setRole(sql: Sql, handle: string, role: UserRole, at: Date): Promise<UserRole | null> {
  const number = userRoleNumber(role);
  const [row] = await sql<{ role: number }>`
    WITH before AS (
      SELECT u.id, u.role FROM users u WHERE u.handle = ${handle}::text FOR NO KEY UPDATE
    ), changed AS (
      UPDATE users u SET role = ${number}::smallint, role_at = greatest(u.role_at, ${at.toISOString()}::timestamptz)
        FROM before b WHERE u.id = b.id AND b.role <> ${number}::smallint
    )
    SELECT b.role FROM before b`;
  return row === undefined ? null : userRoleOf(row.role);
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

export async function userByExternalId(sql: Sql, externalId: string): Promise<User | null> {
  const [row] = await sql<UserRow>`
    SELECT u.id, u.public_id, u.handle, u.display_name, u.avatar_url, u.created_at FROM users u WHERE u.external_id = ${externalId}::text`;
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
