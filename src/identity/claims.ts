import { createHash } from 'node:crypto';
import { codePointLength } from '../platform/text.ts';
import {
  DISPLAY_NAME_LENGTH_MAX,
  HANDLE_LENGTH_MAX,
  isAvatarUrl,
  isDisplayName,
  storedHandle,
  TIERS,
  type Tier,
  USER_ROLES,
  type UserRole,
} from './user.ts';

/** What a token of the identity provider says of a user. Null: nothing that could be used. */
export type Claims = {
  /** By which the provider knows the user, for ever. */
  readonly externalId: string;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  readonly tier: Tier | null;
  readonly role: UserRole | null;
  /** For a new user, the first that is free. */
  readonly handles: readonly string[];
};

/** In which claims it says so. */
export type ClaimNames = {
  readonly jwtClaimId: string;
  readonly jwtClaimHandle: string;
  readonly jwtClaimName: string;
  readonly jwtClaimPicture: string;
  readonly jwtClaimTier: string;
  readonly jwtClaimRole: string;
};

const EXTERNAL_ID_LENGTH_MAX = 255;
const NOBODY_CAN_SEE = /[\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\u200E\u200F\u061C]/gu;
const ACCENTS = /\p{M}/gu;

/** Null when the token does not say whose it is. All else that cannot be used is passed over: a bad picture locks nobody out. */
export function readClaims(payload: Readonly<Record<string, unknown>>, names: ClaimNames): Claims | null {
  const externalId = externalIdOf(payload[names.jwtClaimId]);
  if (externalId === null) return null;
  const displayName = displayNameOf(payload[names.jwtClaimName]);
  const picture = payload[names.jwtClaimPicture];
  return {
    externalId,
    displayName,
    avatarUrl: typeof picture === 'string' && isAvatarUrl(picture) ? picture : null,
    tier: oneOf(TIERS, payload[names.jwtClaimTier]),
    role: oneOf(USER_ROLES, payload[names.jwtClaimRole]),
    handles: handlesOf([payload[names.jwtClaimHandle], displayName], externalId),
  };
}

/** Never cut or mended: two users must not become one. */
function externalIdOf(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === 'string' && isExternalId(text) ? text : null;
}

export function isExternalId(text: string): boolean {
  const length = codePointLength(text);
  return length >= 1 && length <= EXTERNAL_ID_LENGTH_MAX && text.isWellFormed() && !text.includes('\u0000');
}

/** Without what a name must not hold, and cut to the longest that it may be. */
function displayNameOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const clean = value.toWellFormed().replace(NOBODY_CAN_SEE, ' ').trim().normalize('NFC');
  const name = [...clean.slice(0, DISPLAY_NAME_LENGTH_MAX * 2)].slice(0, DISPLAY_NAME_LENGTH_MAX).join('').trim();
  return isDisplayName(name) ? name : null;
}

/** The value or, of a list, the last of them that it holds: the most that it gives. */
function oneOf<const Values extends readonly string[]>(values: Values, value: unknown): Values[number] | null {
  const given = (Array.isArray(value) ? value : [value]).map((each) => (typeof each === 'string' ? each.toUpperCase() : ''));
  return values.findLast((each) => given.includes(each)) ?? null;
}

/** Handles that keep what they can of a wish, each likelier to be free than the one before; always the same for the same user. */
function handlesOf(wishes: readonly unknown[], externalId: string): readonly string[] {
  const wished = wishes.map((wish) => (typeof wish === 'string' ? handleOf(wish) : null)).find((handle) => handle !== null) ?? null;
  const digest = createHash('sha256').update(externalId).digest('hex');
  const base = wished ?? 'user';
  const numbered = [6, 12, 24].map((length) => `${base.slice(0, HANDLE_LENGTH_MAX - length - 1)}_${digest.slice(0, length)}`);
  return wished === null ? numbered : [wished, ...numbered];
}

/** Of an e-mail address only what stands before the "@". Null when too little is left. */
function handleOf(wish: string): string | null {
  const [local = ''] = wish.slice(0, 256).split('@');
  const ascii = local.normalize('NFKD').replace(ACCENTS, '').toLowerCase();
  const text = ascii.replace(/[^a-z0-9_.-]+/g, '_').replace(/^[^a-z0-9]+|_+$/g, '');
  return storedHandle(text.slice(0, HANDLE_LENGTH_MAX));
}
