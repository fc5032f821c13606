// For embedded-postgres.test.ts: serves a directory until its stdin ends, and says in one line how that went.
import { spawn } from 'node:child_process';
import process from 'node:process';
import postgres from 'postgres';
import { startEmbeddedPostgres } from '../../src/platform/embedded-postgres.ts';

const [directory = '', whenServed] = process.argv.slice(2);
const log = (line: string) => process.stderr.write(`${line}\n`);
const say = (answer: object) => process.stdout.write(`${JSON.stringify(answer)}\n`);
process.on('SIGINT', () => log('Interrupted.'));
try {
  await using database = await startEmbeddedPostgres({ directory, whenServed: whenServed === 'refuse' ? 'refuse' : 'attach', log });
  // Started later than the database, and outlives us: it must not hold the lifeline open.
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
  const { host, port, pid, isOwner } = database;
  const sql = postgres({ host, port, user: 'postgres', database: 'postgres', max: 1, onnotice() {} });
  await sql`CREATE TABLE IF NOT EXISTS visits (at timestamptz NOT NULL DEFAULT now())`;
  await sql`INSERT INTO visits DEFAULT VALUES`;
  const visits = (await sql`SELECT FROM visits`).count;
  const [settings] = await sql`SELECT current_setting('shared_buffers') AS memory, current_setting('fsync') AS fsync`;
  say({ pid, isOwner, visits, host, bystander: bystander.pid, settings });
  await new Promise((done) => process.stdin.on('end', done).on('close', done).resume());
  bystander.kill();
  await sql.end({ timeout: 1 });
} catch (error) {
  say({ error: String(error) });
}
process.exit();
