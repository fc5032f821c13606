/**
 * A schedule: who there is, and what is done to them at which moment. Plain data: what is left out of it leaves a schedule that is as
 * good, so that a failing one can be made small.
 */
export type Plan = {
  readonly seed: number;
  readonly theme: string;
  readonly nodes: number;
  readonly people: number;
  /** Who is in each conversation at first; its first member owns it. People and conversations are counted from 1. */
  readonly conversations: readonly (readonly number[])[];
  /** Events that wait for a reader at most. */
  readonly queueMax: number;
  /** News that waits while a page is being read at most. */
  readonly tailMax: number;
  readonly latencyMs: number;
  /** How often a node compares with the database. */
  readonly checkIntervalMs: number;
  /** Whether everybody writes once more in the end: otherwise what was missed last stays missed. */
  readonly isProbed: boolean;
  /** When the last step is done; then everything is healed. */
  readonly durationMs: number;
  readonly steps: readonly Step[];
};

type At = { readonly at: number };
type By = At & { readonly user: number; readonly node: number; readonly conversation: number };

export type Step =
  | (By & { readonly do: 'send'; readonly key: string; readonly content: string; readonly tries: number; readonly inThread?: number })
  | (By & { readonly do: 'edit'; readonly pick: number; readonly content: string })
  | (By & { readonly do: 'delete' | 'react' | 'unreact' | 'pin' | 'unpin'; readonly pick: number })
  | (By & { readonly do: 'add' | 'remove' | 'promote'; readonly whom: number })
  | (By & { readonly do: 'leave' })
  | (By & { readonly do: 'typing' })
  | (By & { readonly do: 'rename'; readonly content: string })
  | (By & { readonly do: 'markRead'; readonly share: number })
  | (By & { readonly do: 'read' })
  | (At & { readonly do: 'readAll'; readonly user: number; readonly node: number; readonly reader?: string })
  | (At & OpenStep)
  | (At & { readonly do: 'cut'; readonly reader: string; readonly node: number; readonly downMs: number; readonly back: number })
  | (At & { readonly do: 'cutAfter'; readonly reader: string; readonly node: number; readonly events: number; readonly downMs: number })
  | (At & { readonly do: 'stall'; readonly reader: string; readonly ms: number })
  | (At & { readonly do: 'crash' | 'crashAtCommit'; readonly node: number; readonly downMs: number })
  | (At & { readonly do: 'sleep'; readonly node: number; readonly ms: number })
  | (At & { readonly do: 'stop'; readonly node: number; readonly downMs: number })
  | (At & {
      readonly do: 'news';
      readonly ms: number;
      readonly isAway: boolean;
      readonly lost: number;
      readonly repeated: number;
      readonly delayMs: number;
    })
  | (At & {
      readonly do: 'database';
      readonly ms: number;
      readonly lost: number;
      readonly lostAnswer: number;
      readonly timeout: number;
      readonly deadlock: number;
      readonly late: number;
      readonly latencyMs: number;
    })
  | (At & { readonly do: 'transaction'; readonly ms: number })
  | (At & { readonly do: 'lock'; readonly conversation: number; readonly ms: number })
  | (At & { readonly do: 'wallClock'; readonly stepMs: number });

export type OpenStep = {
  readonly do: 'open';
  readonly reader: string;
  readonly user: number;
  readonly node: number;
  /** Null: all conversations of the user. */
  readonly conversation: number | null;
  /** How events come: as the stream has them, or executed by GraphQL: in one of two documents that many share, or in one that asks for what is the viewer's. */
  readonly via: 'stream' | 'shared' | 'brief' | 'viewer';
  readonly paceMs: number;
};

export function describe(step: { readonly at: number; readonly do: string }): string {
  const { at, do: what, ...rest } = step;
  const words = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return `${String(Math.round(at)).padStart(6)} ms  ${what} ${words.join(', ')}`;
}
