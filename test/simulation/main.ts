import process from 'node:process';
import { parseArgs } from 'node:util';
import { huntAll, inTable, runSchedules, WORKERS } from './crew.ts';
import { loadWith } from './loader.ts';
import { MUTANTS } from './mutants.ts';

const USAGE = `npm run simulate -- [options]
  --runs N        schedules, from --seed on (default 1,000)
  --seed N        the first of them; without --runs: this one alone, step by step
  --workers N     processes (default: one for each core)
  --steps         tell each step and each thing that was seen, also when --runs is given
  --mutants       break the code in each way that is known, and count the schedules until it is noticed
  --mutant NAME   with --seed: replay a schedule with this bug
`;
const PROGRESS_EVERY_MS = 5_000;
const MUTANT_SCHEDULES_MAX = 1_500;
const say = (line: string) => process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    workers: { type: 'string' },
    steps: { type: 'boolean', default: false },
    mutants: { type: 'boolean', default: false },
    mutant: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const seed = number('seed', values.seed) ?? 1;
const workers = number('workers', values.workers) ?? WORKERS;
const runs = number('runs', values.runs) ?? (values.seed === undefined ? 1_000 : 1);

if (values.help) say(USAGE);
else if (values.mutants) process.exitCode = await killAll();
else if (runs === 1 || values.steps) process.exitCode = await replay(seed);
else process.exitCode = await runAll();

/** Many schedules; of the first that fails, what is left of it when all that does not matter is taken away. */
async function runAll(): Promise<number> {
  const startedAt = performance.now();
  const perSecond = (done: number) => `${Math.round((done / (performance.now() - startedAt)) * 1_000)} schedules a second`;
  let toldAt = startedAt;
  const result = await runSchedules({ seed, runs, workers }, (done) => {
    if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
    toldAt = performance.now();
    say(`${done} of ${runs}, ${perSecond(done)}`);
  });
  say(
    `${result.done} schedules from seed ${seed} on, ${perSecond(result.done)} with ${workers} processes; ${result.failures.length} failed.`,
  );
  for (const failure of result.failures.slice(0, 20)) {
    say(`seed ${failure.seed}`);
    for (const { rule, text } of failure.violations) say(`  ${rule}: ${text}`);
  }
  const [first] = result.failures;
  if (first === undefined) return 0;
  await showShrunk(first.seed);
  return 1;
}

async function simulation() {
  process.env['NODE_ENV'] = 'production';
  const mutant = MUTANTS.find(({ name }) => name === values.mutant) ?? null;
  if (values.mutant !== undefined && mutant === null) throw new Error(`There is no mutant "${values.mutant}".`);
  loadWith(mutant);
  const [{ simulate }, { scheduleOf }, { shrink }, { describe }] = await Promise.all([
    import('./world.ts'),
    import('./schedules.ts'),
    import('./shrink.ts'),
    import('./plan.ts'),
  ]);
  return { simulate, scheduleOf, shrink, describe };
}

async function showShrunk(failing: number): Promise<void> {
  const { simulate, scheduleOf, shrink, describe } = await simulation();
  const plan = scheduleOf(failing);
  const shrunk = await shrink(plan, await simulate(plan), simulate);
  const { steps, ...rest } = shrunk.plan;
  say(`\nSeed ${failing} fails also with ${steps.length} of its ${plan.steps.length} steps (${shrunk.attempts} attempts):`);
  say(JSON.stringify(rest));
  for (const step of steps) say(describe(step));
  for (const { rule, text } of shrunk.outcome.violations) say(`  ${rule}: ${text}`);
  say(`\nStep by step: npm run simulate -- --seed ${failing} --steps`);
}

/** One schedule, with all that is done and seen. */
async function replay(only: number): Promise<number> {
  const { simulate, scheduleOf } = await simulation();
  const plan = scheduleOf(only);
  say(`seed ${only}: ${plan.theme}`);
  const { violations, digest } = await simulate(plan, say);
  for (const { rule, text } of violations) say(`VIOLATION ${rule}: ${text}`);
  say(`${violations.length} violations; digest ${digest()}`);
  return violations.length === 0 ? 0 : 1;
}

async function killAll(): Promise<number> {
  const killed = await huntAll(MUTANT_SCHEDULES_MAX, workers, say);
  say(`\n${inTable(killed)}`);
  return killed.every(({ schedules }) => schedules !== null) ? 0 : 1;
}

function number(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number from 1, got "${text}".`);
  return value;
}
