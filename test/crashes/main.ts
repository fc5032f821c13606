// `npm run crashes -- --times 100 --seed 1`: see docs/proof-chaos.md.
import process from 'node:process';
import { readWholeOptions } from '../kit/whole-options.ts';
import { runCrashes, takenText } from './run.ts';

const write = (line: string) => process.stdout.write(`${line}\n`);

try {
  const { times, seed } = readWholeOptions(process.argv.slice(2), { times: 100, seed: 1 });
  const report = await runCrashes({ times, seed, log: write });
  const kinds = Object.entries(report.crashes).map(([name, count]) => `${name} ${count}`);
  write(`\nCrashes         ${times} (${kinds.join(', ')}), seed ${seed}`);
  write(`Acknowledged    ${report.acknowledged} changes; ${report.messages} messages`);
  write(`Slowest start   ${takenText(report.slowestStart)}; slowest answer after a crash ${takenText(report.slowestRecovery)}`);
  write(`Violations      ${report.violations.length}`);
  for (const violation of report.violations) write(`  ${violation}`);
  process.exitCode = report.violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
