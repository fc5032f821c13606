// `npm run chaos -- --seconds 120 --seed 7 [--faults kill:node,…]`: see docs/proof-chaos.md.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { readChaosOptions } from './options.ts';
import { seconds } from './recovery.ts';
import { runChaos } from './run.ts';

const SHOWN_MAX = 20;
const write = (line: string) => process.stdout.write(`${line}\n`);
const list = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

try {
  const options = readChaosOptions(process.argv.slice(2));
  const report = await runChaos({ ...options, log: write });
  if (report === null) throw new Error('A redis-server must be installed.');
  const { violations, worst } = report;
  write(`\nFaults          ${list(report.faults)}; seed ${options.seed}`);
  write(`Messages        ${report.messages}; ${report.acknowledged} changes acknowledged`);
  write(`Events told     ${report.events}`);
  write(`Reconnects      ${list(report.ends)}`);
  write(`Worst recovery  acknowledged after ${seconds(worst.acknowledgedMs)}, all level after ${seconds(worst.levelMs)}`);
  write(`Violations      ${violations.length}`);
  for (const violation of violations.slice(0, SHOWN_MAX)) write(`  ${violation}`);
  if (violations.length > 0) {
    const file = join(mkdtempSync(join(tmpdir(), 'rookery-chaos-')), 'observations.json');
    writeFileSync(file, `[\n${report.observations.map((each) => JSON.stringify(each)).join(',\n')}\n]\n`);
    write(`What was observed is in ${file}.`);
  }
  process.exitCode = violations.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
