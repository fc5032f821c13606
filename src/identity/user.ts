import { badInput } from '../platform/errors.ts';
import { checkText, codePointLength, quoted } from '../platform/text.ts';

/** Which limits apply to somebody who is signed in, from the smallest. */
export const TIERS = ['FREE', 'STANDARD', 'PREMIUM', 'ENTERPRISE'] as const;
export type Tier = (typeof TIERS)[number];

/** What somebody may do on the whole server, not in a conversation. */
export const USER_ROLES = ['USER', 'ADMIN'] as const;
export type UserRole = (typeof USER_ROLES)[number];

export type User = {
  readonly key: number;
  readonly uuid: string;
  /** Unique, lowercase. */
  readonly handle: string;
  readonly displayName: string;
  /** An https address; null: none. */
  readonly avatarUrl: string | null;
  readonly createdAt: Date;
};

/** In characters, which are all ASCII. */
export const HANDLE_LENGTH_MAX = 32;
export const DISPLAY_NAME_LENGTH_MAX = 80;
const AVATAR_URL_LENGTH_MAX = 2_048;
export const PASSWORD_LENGTH_MIN = 10;
export const PASSWORD_LENGTH_MAX = 128;

const HANDLE = new RegExp(`^[a-z0-9][a-z0-9_.-]{2,${HANDLE_LENGTH_MAX - 1}}$`, 'i');
/** What means something else after an "@". */
const RESERVED_HANDLES: ReadonlySet<string> = new Set(['all']);

/** The handle as it is stored: upper and lower case are the same. */
export function checkHandle(handle: string): string {
  const stored = storedHandle(handle);
  if (stored !== null) return stored;
  if (RESERVED_HANDLES.has(handle.toLowerCase()))
    throw badInput('input.handle', `Handle must be another than ${quoted(handle)}, which stands for everybody.`);
  throw badInput(
    'input.handle',
    `Handle must be 3 to ${HANDLE_LENGTH_MAX} characters of a-z, 0-9, "_", "." and "-", the first a letter or digit, got ${quoted(handle)} (${codePointLength(handle)} characters).`,
  );
}

/** Null when nobody can have such a handle. Only ASCII is folded, so that no foreign letter turns into one that is allowed. */
export function storedHandle(handle: string): string | null {
  const stored = handle.toLowerCase();
  return HANDLE.test(handle) && !RESERVED_HANDLES.has(stored) ? stored : null;
}

/** The name as it is stored: trimmed and composed. */
export function checkDisplayName(displayName: string): string {
  return checkText('input.displayName', 'Display name', displayName, { lengthMin: 1, lengthMax: DISPLAY_NAME_LENGTH_MAX, isName: true });
}

export function isDisplayName(displayName: string): boolean {
  try {
    return checkDisplayName(displayName) === displayName;
  } catch {
    return false;
  }
}

/** The address as it came. */
export function checkAvatarUrl(avatarUrl: string): string {
  if (isAvatarUrl(avatarUrl)) return avatarUrl;
  throw badInput(
    'input.avatarUrl',
    `avatarUrl must be an https address of at most ${AVATAR_URL_LENGTH_MAX} characters, without a user or password, got ${quoted(avatarUrl)} (${codePointLength(avatarUrl)} characters).`,
  );
}

/** Shown to other people's browsers: so no script, no plain http, no credentials, and nothing that a parser would pass over. */
export function isAvatarUrl(text: string): boolean {
  if (text.length > AVATAR_URL_LENGTH_MAX || !/^https:\/\/[^\s\p{C}\\"<>]+$/iu.test(text) || !URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/** For a new password. It may hold any character; it is never quoted. */
export function checkPassword(password: string): string {
  return checkText('input.password', 'Password', password, {
    lengthMin: PASSWORD_LENGTH_MIN,
    lengthMax: PASSWORD_LENGTH_MAX,
    allowsLineBreaks: true,
  });
}

/** Nobody who is signed in is ANONYMOUS. */
export function checkTier(tier: Tier | 'ANONYMOUS'): Tier {
  if (tier !== 'ANONYMOUS') return tier;
  throw badInput('input.tier', `tier must be one of ${TIERS.join(', ')}, got ANONYMOUS, which is for who is not signed in.`);
}

export function tierOf(number: number): Tier {
  const tier = TIERS[number - 1];
  if (tier === undefined) throw new Error(`A tier must be 1 to ${TIERS.length}, got ${number}.`);
  return tier;
}

export function tierNumber(tier: Tier): number {
  return TIERS.indexOf(tier) + 1;
}

export function userRoleOf(number: number): UserRole {
  const role = USER_ROLES[number - 1];
  if (role === undefined) throw new Error(`A role must be 1 to ${USER_ROLES.length}, got ${number}.`);
  return role;
}

export function userRoleNumber(role: UserRole): number {
  return USER_ROLES.indexOf(role) + 1;
}
