import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDedicatedConnection } from '../../src/platform/dedicated-connection.ts';
import { encodeId } from '../../src/platform/id.ts';
import type { Witness } from '../proof/witness.ts';
import type { Reading } from './reading.ts';
import type { Stage } from './stage.ts';

export const ACKNOWLEDGED_WITHIN_MS = 5_000;
export const LEVEL_WITHIN_MS = 15_000;
/** Above the deadlines, to tell late from never. */
const PATIENCE_MS = 30_000;
const LOOK_MS = 20;

/** In milliseconds from the moment at which a fault was healed. */
export type RecoveryTimes = { readonly acknowledgedMs: number; readonly levelMs: number };
type Dependencies = { readonly witness: Witness; readonly stage: Stage; readonly readings: readonly Reading[] };
/** Where everybody must be: the number of a conversation, and who was in it at that number. */
type Head = { readonly conversation: string; readonly sequence: number; readonly members: ReadonlySet<string> };

/** Measures how soon all is well after a fault was healed: at both nodes, and for every reader. */
export class Recovery {
  readonly violations: string[] = [];
  worst: RecoveryTimes = { acknowledgedMs: 0, levelMs: 0 };
  /** It is being measured now. */
  isUnderWay = false;
  readonly #dependencies: Dependencies;
  /** How late we were ourselves at most while we looked: that much a miss may be due to the machine. */
  #heldUpMs = 0;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  async measure(what: string, healedAt: number, say: (line: string) => void): Promise<void> {
    this.#heldUpMs = 0;
    const acknowledgedMs = await this.#untilAcknowledged(what, healedAt, say);
    const levelMs = await this.measureLevel(what, healedAt, say);
    say(`    acknowledged after ${seconds(acknowledgedMs)}, all level after ${seconds(levelMs)}; ${this.#machine()}`);
    this.worst = { ...this.worst, acknowledgedMs: Math.max(this.worst.acknowledgedMs, acknowledgedMs) };
  }

  /** All readers have what was there when it was asked for. */
  async measureLevel(what: string, healedAt: number, say: (line: string) => void): Promise<number> {
    this.isUnderWay = true;
    const heads = await this.#heads();
    const { readings } = this.#dependencies;
    let late: readonly string[] = [];
    const isLevel = () => {
      const found = readings.flatMap((reading) => lag(reading, heads) ?? []);
      if (found.length > 0) late = found;
      return found.length === 0;
    };
    const levelMs = await this.#until(healedAt, isLevel);
    if (levelMs > LEVEL_WITHIN_MS) {
      this.#find(
        `level: After ${what} all readers must be level within ${LEVEL_WITHIN_MS} ms, were after ${Math.round(levelMs)}. The last: ${late.join(' ')}`,
        say,
      );
    }
    this.isUnderWay = false;
    this.worst = { ...this.worst, levelMs: Math.max(this.worst.levelMs, levelMs) };
    return levelMs;
  }

  /** No stream is between its opening and its CaughtUp, or its end. Strangers' are for moments, again and again. */
  async untilSettled(): Promise<void> {
    const { readings } = this.#dependencies;
    const waits = () => readings.filter(({ isOpen, isCaughtUp }) => isOpen && !isCaughtUp);
    await this.#until(this.#dependencies.witness.now(), () => waits().length === 0);
  }

  async #untilAcknowledged(what: string, healedAt: number, say: (line: string) => void): Promise<number> {
    const { witness, stage } = this.#dependencies;
    const late = () => stage.places.filter(({ name }) => (witness.acknowledged.get(name)?.begunAt ?? 0) < healedAt);
    const ms = await this.#until(healedAt, () => late().length === 0);
    if (ms > ACKNOWLEDGED_WITHIN_MS) {
      const names = late().map(({ name }) => name);
      this.#find(
        `acknowledged: After ${what} both nodes must acknowledge within ${ACKNOWLEDGED_WITHIN_MS} ms, did after ${Math.round(ms)}; still not: ${names.join(', ')}.`,
        say,
      );
    }
    return ms;
  }

  #find(violation: string, say: (line: string) => void): void {
    this.violations.push(violation);
    say(`    ${violation} Now: ${this.#machine()}`);
  }

  #machine(): string {
    return `load ${loadavg()[0]?.toFixed(1)}, held up for ${seconds(this.#heldUpMs)}`;
  }

  async #until(since: number, holds: () => boolean): Promise<number> {
    const { witness } = this.#dependencies;
    const end = since + PATIENCE_MS;
    while (!holds() && witness.now() < end) {
      const askedAt = witness.now();
      await sleep(LOOK_MS);
      this.#heldUpMs = Math.max(this.#heldUpMs, witness.now() - askedAt - LOOK_MS);
    }
    return witness.now() - since;
  }

  /** By the rows: whatever the nodes say. */
  async #heads(): Promise<readonly Head[]> {
    await using connection = openDedicatedConnection(this.#dependencies.stage.postgres.address);
    const rows = await connection.sql<{ conversation: string; sequence: number; members: string }[]>`
      SELECT c.public_id AS conversation, c.sequence::integer, string_agg(u.public_id::text, ',') AS members
        FROM conversations c JOIN members m ON m.conversation_id = c.id AND m.left_sequence IS NULL JOIN users u ON u.id = m.user_id
       GROUP BY c.id`;
    return rows.map(({ conversation, sequence, members }) => ({
      conversation: encodeId('cnv', conversation),
      sequence,
      members: new Set(members.split(',').map((uuid) => encodeId('usr', uuid))),
    }));
  }
}

/** What a reader has not; null when they have all. Who has gone since has their own departure, which lies beyond. */
function lag({ options: { name, person, conversation: only }, positions, isCaughtUp }: Reading, heads: readonly Head[]): string | null {
  for (const { conversation, sequence, members } of heads) {
    if ((only !== null && only !== conversation) || !members.has(person.id)) continue;
    const position = positions.get(conversation) ?? 0;
    if (position < sequence) return `${name} is at ${position} of ${sequence}${isCaughtUp ? '' : ', not caught up'}.`;
  }
  return null;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(2)} s`;
}
