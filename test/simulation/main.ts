import process from 'node:process';
import { parseArgs } from 'node:util';
import type { DatabaseAddress } from '../../src/platform/postgres.ts';
import { type Failure, huntAll, inTable, runSchedules, WORKERS } from './crew.ts';
import { loadWith } from './loader.ts';
import { FAMILIES, type Family, MUTANTS } from './mutants.ts';
import { openStores } from './stores.ts';

const USAGE = `npm run simulate -- [options]
  --runs N        schedules of each family, from --seed on (default 1,000)
  --seed N        the first of them; without --runs: this one alone, step by step
  --family NAME   "delivery" or "limits" alone
  --workers N     processes (default: one for each core)
  --steps         tell each step and each thing that was seen, also when --runs is given
  --mutants       break the code in each way that is known, and count the schedules until it is noticed
  --mutant NAME   with --seed: replay a schedule with this bug; with --mutants: this one alone
  --database URL  against a real PostgreSQL, in a database of its own, which is slower; "postgres": that of DATABASE_URL
  --redis URL     against a real Redis; "redis": that of REDIS_URL
`;
const PROGRESS_EVERY_MS = 5_000;
const say = (line: string) => process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    workers: { type: 'string' },
    steps: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    database: { type: 'string' },
    redis: { type: 'string' },
    family: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const seed = number('seed', values.seed) ?? 1;
const workers = number('workers', values.workers) ?? WORKERS;
const servers = { database: addressOf(values.database), redis: redisOf(values.redis) };
const families = FAMILIES.filter((family) => values.family === undefined || family === values.family);
if (families.length === 0) throw new Error(`--family must be one of ${FAMILIES.join(', ')}, got "${values.family}".`);
const runs = number('runs', values.runs) ?? (values.seed === undefined ? 1_000 : 1);

if (values.help) say(USAGE);
else if (values.mutants) process.exitCode = await killAll();
else if (runs === 1 || values.steps) process.exitCode = await replay(seed);
else process.exitCode = await runAll();

/** Many schedules; of the first that fails, what is left of it when all that does not matter is taken away. */
async function runAll(): Promise<number> {
  const startedAt = performance.now();
  const perSecond = (done: number) =>
    `${Math.round(((done * families.length) / (performance.now() - startedAt)) * 1_000)} schedules a second`;
  let toldAt = startedAt;
  const onProgress = (done: number) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    say(`${done} of ${runs}, ${perSecond(done)}`);
  };
  const onFailure = ({ family, seed: failing, violations }: Failure) => {
    say(`seed ${failing} of ${family}`);
    for (const { rule, text } of violations) say(`  ${rule}: ${text}`);
  };
  const result = await runSchedules({ seed, runs, workers, servers, families }, onProgress, onFailure);
  say(
    `${result.done * families.length} schedules, ${families.join(' and ')}, from seed ${seed} on, ${perSecond(result.done)} with ${workers} processes; ${result.failures.length} failed.`,
  );
  const [first] = result.failures;
  if (first === undefined) return 0;
  await showShrunk(first.family, first.seed);
  return 1;
}

async function simulation() {
  process.env['NODE_ENV'] = 'production';
  const mutant = MUTANTS.find(({ name }) => name === values.mutant) ?? null;
  if (values.mutant !== undefined && mutant === null) throw new Error(`There is no mutant "${values.mutant}".`);
  loadWith(mutant);
  const { simulatedFamilies } = await import('./families.ts');
  const stores = await openStores(servers, mutant);
  return { ...simulatedFamilies(stores), [Symbol.asyncDispose]: () => stores[Symbol.asyncDispose]() };
}

async function showShrunk(family: Family, failing: number): Promise<void> {
  await using simulated = await simulation();
  const schedule = simulated[family](failing);
  const { attempts, lines, violations } = await schedule.shrink();
  say(`\nSeed ${failing} of ${family} fails also with ${lines.length - 1} of its ${schedule.steps} steps (${attempts} attempts):`);
  for (const line of lines) say(line);
  for (const { rule, text } of violations) say(`  ${rule}: ${text}`);
  say(`\nStep by step: npm run simulate -- --family ${family} --seed ${failing} --steps`);
}

/** One schedule of each family, with all that is done and seen. */
async function replay(only: number): Promise<number> {
  await using simulated = await simulation();
  let count = 0;
  for (const family of families) {
    const schedule = simulated[family](only);
    say(`seed ${only} of ${family}: ${schedule.theme}`);
    const { violations, digest } = await schedule.simulate(say);
    for (const { rule, text } of violations) say(`VIOLATION ${rule}: ${text}`);
    say(`${violations.length} violations; digest ${digest()}`);
    count += violations.length;
  }
  return count === 0 ? 0 : 1;
}

async function killAll(): Promise<number> {
  const wanted = MUTANTS.filter(({ name }) => values.mutant === undefined || name === values.mutant);
  const killed = await huntAll(wanted, servers, workers, say);
  say(`\n${inTable(killed)}`);
  say(`\n${JSON.stringify(killed)}`);
  return killed.every(({ seed: killer }) => killer !== null) ? 0 : 1;
}

function number(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1, got "${text}".`);
  return value;
}

function addressOf(text: string | undefined): DatabaseAddress | null {
  const url = text === 'postgres' ? process.env['DATABASE_URL'] : text;
  if (text === 'postgres' && url === undefined) throw new Error('--database postgres needs DATABASE_URL, which is not set.');
  return url === undefined ? null : { url };
}

function redisOf(text: string | undefined): string | null {
  const url = text === 'redis' ? process.env['REDIS_URL'] : text;
  if (text === 'redis' && url === undefined) throw new Error('--redis redis needs REDIS_URL, which is not set.');
  return url ?? null;
}
