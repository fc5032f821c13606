import { badInput } from '../platform/errors.ts';
import { checkText, codePointLength, quoted } from '../platform/text.ts';

/** Which limits apply to somebody who is signed in, from the smallest. */
export const TIERS = ['FREE', 'STANDARD', 'PREMIUM', 'ENTERPRISE'] as const;
export type Tier = (typeof TIERS)[number];

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

export const DISPLAY_NAME_LENGTH_MAX = 80;
export const PASSWORD_LENGTH_MIN = 10;
export const PASSWORD_LENGTH_MAX = 128;

const HANDLE = /^[a-z0-9][a-z0-9_.-]{2,31}$/i;

/** The handle as it is stored: upper and lower case are the same. */
export function checkHandle(handle: string): string {
  const stored = storedHandle(handle);
  if (stored !== null) return stored;
  throw badInput(
    'input.handle',
    `Handle must be 3 to 32 characters of a-z, 0-9, "_", "." and "-", the first a letter or digit, got ${quoted(handle)} (${codePointLength(handle)} characters).`,
  );
}

/** Null when nobody can have such a handle. Only ASCII is folded, so that no foreign letter turns into one that is allowed. */
export function storedHandle(handle: string): string | null {
  return HANDLE.test(handle) ? handle.toLowerCase() : null;
}

/** The name as it is stored: trimmed and composed. */
export function checkDisplayName(displayName: string): string {
  return checkText('input.displayName', 'Display name', displayName, { lengthMin: 1, lengthMax: DISPLAY_NAME_LENGTH_MAX, isName: true });
}

/** For a new password. It may hold any character; it is never quoted. */
export function checkPassword(password: string): string {
  return checkText('input.password', 'Password', password, {
    lengthMin: PASSWORD_LENGTH_MIN,
    lengthMax: PASSWORD_LENGTH_MAX,
    allowsLineBreaks: true,
  });
}

export function tierOf(number: number): Tier {
  const tier = TIERS[number - 1];
  if (tier === undefined) throw new Error(`A tier must be 1 to ${TIERS.length}, got ${number}.`);
  return tier;
}
