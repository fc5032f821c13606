import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** A file of SQL and what identifies its content. */
export type SqlFile = { readonly name: string; readonly text: string; readonly checksum: string };

export type Migration = SqlFile & { readonly isTransactional: boolean };

/** One statement of a migration that runs outside a transaction, and the line it begins at. */
export type Statement = { readonly text: string; readonly line: number };

const NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;
const NO_TRANSACTION = '-- rookery: no-transaction';
const ENDS_TRANSACTION = /^\s*(commit|rollback)\s*;/im;
const DOLLAR_QUOTE = /\$(?:[a-z_]\w*)?\$/gi;

/** All migrations in order. Throws unless they are numbered 0001, 0002 … without gaps and without duplicates. */
export function readMigrations(directory: string): readonly Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort();
  names.forEach((name, index) => {
    const expected = String(index + 1).padStart(4, '0');
    const number = NAME.exec(name)?.[1];
    if (number === undefined) throw new Error(`A migration must be named like ${expected}-add-topics.sql, got ${name}.`);
    if (number !== expected) throw new Error(`Migrations must be numbered without gaps or duplicates: expected ${expected}, got ${name}.`);
  });
  return names.map((name) => {
    const file = readSqlFile(join(directory, name), name);
    const isTransactional = file.text.split('\n')[0]?.trim() !== NO_TRANSACTION;
    if (isTransactional && ENDS_TRANSACTION.test(file.text))
      throw new Error(`Migration ${name} runs in one transaction and must not end it: leave out COMMIT and ROLLBACK.`);
    return { ...file, isTransactional };
  });
}

/** A functions.sql, named after its folder too. */
export function readFunctions(path: string): SqlFile {
  return readSqlFile(path, `${basename(dirname(path))}/${basename(path)}`);
}

/** Throws when what was applied is not what is here: an applied migration is history. */
export function checkHistory(files: readonly SqlFile[], applied: ReadonlyMap<string, string>): void {
  const known = new Map(files.map(({ name, checksum }) => [name, checksum]));
  for (const [name, checksum] of applied) {
    const found = known.get(name);
    if (found === undefined)
      throw new Error(`Migration ${name} was applied to this database but its file is missing: is this an older version of Rookery?`);
    if (found !== checksum)
      throw new Error(`Migration ${name} must not change once applied, but it did: restore the file and write another migration.`);
  }
}

/**
 * Splits after each line that ends with `;` outside of dollar quotes. Not a parser: a line with a comment after the `;` ends nothing, and
 * a `;` at the end of a line ends a statement even inside of quotes and block comments.
 */
export function splitStatements(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let lines: string[] = [];
  let quote: string | null = null;
  text.split('\n').forEach((line, index) => {
    const isComment = quote === null && /^\s*(--|$)/.test(line);
    if (isComment && lines.length === 0) return;
    lines.push(line);
    if (isComment) return;
    for (const [mark] of line.matchAll(DOLLAR_QUOTE)) {
      if (quote === null) quote = mark;
      else if (quote === mark) quote = null;
    }
    if (quote !== null || !line.trimEnd().endsWith(';')) return;
    statements.push({ text: lines.join('\n'), line: index + 2 - lines.length });
    lines = [];
  });
  if (lines.length > 0) throw new Error(`The last statement must end with ";" at the end of a line, got: ${lines[0]}`);
  return statements;
}

function readSqlFile(path: string, name: string): SqlFile {
  // A checkout may have turned the line ends; that changes nothing.
  const text = readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
}
