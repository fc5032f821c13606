import type { Mutant } from './mutants.ts';

const REDIS = 'src/platform/rate-limit-redis.ts';
const MEMORY = 'src/platform/rate-limit-memory.ts';
const SCRIPT = 'src/platform/rate-limit-script.ts';
const SHARED = 'src/platform/rate-limit-shared.ts';
const OPERATIONS = 'src/server/operation-limits.ts';
const LIMITER = 'src/server/limiter.ts';
const family = 'limits';
const TAKE = '      return decisionOf(charges, await takeAll(charges.map(nameOf), args));';

/** Those that only schedules of limits notice. */
export const LIMIT_MUTANTS: readonly Mutant[] = [
  {
    name: 'looks first and takes afterwards',
    family,
    file: REDIS,
    find: TAKE,
    replace: `      const asked = (limit, taken) => charges.flatMap(({ max, windowMs, amount }) => [limit(max), windowMs * 1_000, taken(amount)]);
      const looked = decisionOf(charges, await takeAll(charges.map(nameOf), asked((max) => max, () => 0)));
      if (looked.standings.some(({ remaining }, index) => remaining < charges[index].amount)) return decisionOf(charges, await takeAll(charges.map(nameOf), args));
      return decisionOf(charges, await takeAll(charges.map(nameOf), asked(() => Number.MAX_SAFE_INTEGER, (amount) => amount)));`,
    why: 'Room is looked for in one command and taken in the next.',
  },
  {
    name: 'refused calls count',
    family,
    file: REDIS,
    find: TAKE,
    replace: `      const answer = await takeAll(charges.map(nameOf), args);
      if (answer.startsWith('0 ')) await takeAll(charges.map(nameOf), charges.flatMap(({ windowMs, amount }) => [Number.MAX_SAFE_INTEGER, windowMs * 1_000, amount]));
      return decisionOf(charges, answer);`,
    why: 'Whoever goes on asking is kept out for longer.',
  },
  {
    name: 'reservation not given back',
    family,
    file: OPERATIONS,
    find: '      limiter.giveBack(taken.decision.receipt, amounts);',
    replace: '',
    why: 'What an operation reserved and did not use stays taken.',
  },
  {
    name: 'only the first refuses',
    family,
    file: MEMORY,
    find: `      const waitMs = this.#waitMs(charge, now);
      if (waitMs <= retryAfterMs) continue;`,
    replace: `      const waitMs = this.#waitMs(charge, now);
      if (waitMs === 0 && charge.amount > 0 && charge !== charges.at(-1) && charges.some((each) => this.#waitMs(each, now) > 0)) this.#put(charge, now);
      if (waitMs <= retryAfterMs) continue;`,
    why: 'One policy has been taken from when another refuses.',
  },
  {
    name: 'edge off by one',
    family,
    file: MEMORY,
    find: 'this.#expire(window, now - windowMs);\n    if (amount > max) return windowMs;',
    replace: 'this.#expire(window, now - windowMs + 1);\n    if (amount > max) return windowMs;',
    why: 'What was taken is free again a moment before its window is over.',
  },
  {
    name: 'away for good',
    family,
    file: SHARED,
    find: '      this.#set(false);',
    replace: '',
    why: 'A node that has counted by itself does so for ever.',
  },
  {
    name: 'share not divided',
    family,
    file: SHARED,
    find: 'Math.floor(max / nodes.count)',
    replace: 'max',
    why: 'Each node gives all of it while Redis is away.',
  },
  {
    name: 'nodes counted once',
    family,
    file: SHARED,
    find: '!this.#isLocal && this.#beat()',
    replace: 'undefined',
    why: 'A node knows those that were there when it started, and no others.',
  },
  {
    name: 'guesses counted by each node',
    family,
    file: SHARED,
    find: 'mustBeShared && amount > 0',
    replace: 'mustBeShared && amount < 0',
    why: 'Who guesses passwords has an attempt with each node while Redis is away.',
  },
  {
    name: 'given back to the others',
    family,
    file: SHARED,
    find: '    if (this.#ofThisNode.has(receipt)) return local.giveBack(receipt, amounts);',
    replace: '',
    why: 'What a node took by itself is given back to Redis, which knows nothing of it.',
  },
  {
    name: 'a pause taken for silence',
    family,
    file: SHARED,
    find: '      await nextTurn();',
    replace: '',
    why: 'A node that was asleep does not read the answer that is there.',
  },
  {
    name: 'more than reserved is free',
    family,
    file: OPERATIONS,
    find: "if (counts === 'points') return points === null ? 0 : amount - Math.ceil(points);",
    replace: "if (counts === 'points') return points === null ? 0 : Math.max(0, amount - Math.ceil(points));",
    why: 'The points that a list came to more are never taken.',
  },
  {
    name: 'failures of lists count',
    family,
    file: OPERATIONS,
    find: 'limiter.isCounted(policy, error) ? 0 : amount',
    replace: 'limiter.isCounted(policy, error) ? 0 : 0',
    why: 'A field inside of a list that was refused for another reason stays taken.',
  },
  {
    name: 'refused guesses are free',
    family,
    file: LIMITER,
    find: 'policyNamed(policyName)?.countsFailures === true &&',
    replace: 'policyNamed(policyName)?.countsFailures === undefined &&',
    why: 'An attempt to sign in counts only when it succeeds.',
  },
  {
    name: 'told when the oldest is over',
    family,
    file: LIMITER,
    find: '    throw new RateLimitedError(decision);\n  }\n\n  /** A store',
    replace:
      '    throw new RateLimitedError({ ...decision, retryAfterMs: Math.min(...decision.standings.map(({ resetMs }) => resetMs || decision.retryAfterMs)) });\n  }\n\n  /** A store',
    why: 'Who is refused before anything is looked up is told to come back before there is room.',
  },
  {
    name: 'a number that comes again',
    family,
    isOfRedis: true,
    theme: 7,
    file: SCRIPT,
    find: 'math.max(state.last, state.top) + 1',
    replace: 'state.last + 1',
    why: 'What is given back after the clock of Redis went back is that of somebody else, who took later.',
  },
  {
    name: 'one refuses, the other is taken from',
    family,
    isOfRedis: true,
    file: SCRIPT,
    find: 'if isAllowed and amount > 0 then',
    replace: 'if waits[index] == 0 and amount > 0 then',
    why: 'Of several windows those with room are taken from, whatever the others say.',
  },
  {
    name: 'edge off by one, in Redis',
    family,
    isOfRedis: true,
    file: SCRIPT,
    find: 'if at and at + window > now then',
    replace: 'if at and at + window > now + 1000 then',
    why: 'What was taken is free again a millisecond before its window is over.',
  },
  {
    name: 'all of a part given back',
    family,
    isOfRedis: true,
    file: SCRIPT,
    find: 'math.max(0, tonumber(weight) - amount)',
    replace: '0',
    why: 'Who gives one point back gives all of them back.',
  },
];
