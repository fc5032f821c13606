/** A sign-in by password that goes on, as its user sees it. */
export type UserSession = {
  readonly key: number;
  readonly uuid: string;
  readonly createdAt: Date;
  /** When its newest refresh token was made: the last sign of life that is kept. */
  readonly refreshedAt: Date;
};
