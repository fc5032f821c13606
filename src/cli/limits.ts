import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readLimitsFile } from '../config/limits-file.ts';
import { chargesOf } from '../platform/rate-limit-charges.ts';
import { MemoryRateLimitStore } from '../platform/rate-limit-memory.ts';
import type { LimitPolicies } from '../platform/rate-limit-policies.ts';
import { callsOf, readTrafficEntry, type TrafficEntry } from '../platform/rate-limit-traffic.ts';
import type { Command } from './command.ts';

/** Refusals that are told one by one; all are counted. */
const TOLD_MAX = 100;

/** `rookery limits simulate`: who would have been refused, had other limits held. */
export const tryLimits: Command = async (words, { write }) => {
  const [action, ...rest] = words;
  if (action !== 'simulate') return 'USAGE';
  const { policy, traffic } = optionsOf(rest);
  if (policy === undefined || traffic === undefined) return 'USAGE';
  const limits = readLimitsFile(policy);
  const simulation = new Simulation(limits);
  let number = 0;
  for await (const line of createInterface({ input: createReadStream(traffic, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1;
    if (line.trim() === '') continue;
    const refusal = simulation.replay(entryAt(number, line));
    if (refusal !== null && simulation.refused <= TOLD_MAX) write(refusal);
  }
  for (const line of simulation.summary()) write(line);
  return 0;
};

function optionsOf(words: readonly string[]): { readonly policy?: string | undefined; readonly traffic?: string | undefined } {
  const { values } = parseArgs({ args: [...words], options: { policy: { type: 'string' }, traffic: { type: 'string' } }, strict: true });
  return values;
}

function entryAt(number: number, line: string): TrafficEntry {
  try {
    return readTrafficEntry(line);
  } catch (error) {
    throw new Error(`Line ${number} of the traffic is none of LIMITS_LOG: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The same decisions as the server's, by the times of the log. */
class Simulation {
  readonly #limits: LimitPolicies;
  readonly #store: MemoryRateLimitStore;
  /** By policy and tier. */
  readonly #refusals = new Map<string, number>();
  readonly #met = new Set<string>();
  #now = 0;
  #replayed = 0;
  refused = 0;

  constructor(limits: LimitPolicies) {
    this.#limits = limits;
    this.#store = new MemoryRateLimitStore({ clock: { monotonic: () => this.#now } });
  }

  /** Answers the refusal, or null. */
  replay(entry: TrafficEntry): string | null {
    this.#now = Math.max(this.#now, entry.at); // Lines may have been written a moment late.
    this.#replayed += 1;
    for (const { field } of entry.fields) this.#met.add(field);
    const most = this.#limits.operationCost[entry.tier];
    if (entry.cost > most) return this.#refuse(entry, 'operationCost', `${entry.cost} points, at most ${most}`);
    const subject = { tier: entry.tier, user: entry.user, userUuid: null, network: entry.network };
    const work = { operations: entry.operations, points: entry.cost, calls: callsOf(entry) };
    const charges = chargesOf(this.#limits, subject, work, (policy, owner) => `${policy} ${owner}`);
    const { isAllowed, refusedBy, retryAfterMs, receipt } = this.#store.take(charges);
    if (!isAllowed) return this.#refuse(entry, refusedBy ?? '', `again in ${Math.ceil(retryAfterMs / 1_000)} s`);
    const points = this.#limits.policies.filter(({ counts }) => counts === 'points').map(({ name }) => name);
    this.#store.giveBack(
      receipt,
      charges.map(({ policy }) => (points.includes(policy) ? Math.max(0, entry.cost - entry.spent) : 0)),
    );
    return null;
  }

  summary(): readonly string[] {
    const { refused } = this;
    const rows = [...this.#refusals].toSorted(([, one], [, other]) => other - one).map(([name, count]) => `  ${name}: ${count}`);
    const unmet = [...new Set(this.#limits.policies.flatMap(({ fields }) => fields.map(({ coordinate }) => coordinate)))].filter(
      (coordinate) => !this.#met.has(coordinate),
    );
    return [
      ...(refused > TOLD_MAX ? [`… and ${refused - TOLD_MAX} more`] : []),
      `${refused} of ${this.#replayed} would have been refused${rows.length > 0 ? ':' : '.'}`,
      ...rows,
      ...(unmet.length > 0 ? [`Not in this traffic, so nothing is known of them: ${unmet.join(', ')}`] : []),
    ];
  }

  #refuse({ at, tier, user, operation, fields }: TrafficEntry, policy: string, reason: string): string {
    this.refused += 1;
    const name = `${policy} ${tier}`;
    this.#refusals.set(name, (this.#refusals.get(name) ?? 0) + 1);
    const what = fields.length > 0 ? fields.map(({ field }) => field).join(', ') : operation;
    return `${new Date(at).toISOString()}  ${tier} ${user}  ${what}  refused by ${policy}: ${reason}`;
  }
}
