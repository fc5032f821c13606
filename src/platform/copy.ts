import { once } from 'node:events';
import type postgres from 'postgres';

/** What a column may be given; PostgreSQL reads the text as the column's type. */
export type CopyValue = string | number | boolean | null;

const SPECIAL = /[\\\t\n\r]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** One row in the text format of COPY, with its line's end. Text must be well-formed and hold no NUL, which no column could keep. */
export function copyLine(values: readonly CopyValue[]): string {
  return `${values.map(copyField).join('\t')}\n`;
}

function copyField(value: CopyValue): string {
  if (value === null) return '\\N';
  if (typeof value !== 'string') return String(value);
  return SPECIAL.test(value) ? value.replace(/[\\\t\n\r]/g, (character) => ESCAPES[character] ?? character) : value;
}

/**
 * Adds rows, as `copyLine` writes them, to a table. All or none of them; PostgreSQL's error when one does not fit. The connection must
 * be a dedicated one: nothing else may run on it meanwhile.
 *
 * The driver forgets a copy once its stream has begun: an error that comes with the end of the data would be told to nobody, and the
 * stream would never finish. It does tell the query, though, whose `reject` is therefore ours.
 */
export async function copyRows(sql: postgres.Sql, table: string, columns: readonly string[], lines: string): Promise<void> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // Also when it fails while nobody waits.
  const query = Object.assign(sql`COPY ${sql(table)} (${sql([...columns])}) FROM STDIN`, { reject: failure.reject });
  const stream = await Promise.race([query.writable(), failure.promise]);
  stream.on('error', failure.reject);
  const finished = once(stream, 'finish');
  finished.catch(() => {});
  stream.end(lines);
  await Promise.race([finished, failure.promise]);
}
