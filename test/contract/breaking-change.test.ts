import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildSchema, findBreakingChanges, printSchema } from 'graphql';
import { describe, expect, test } from 'vitest';
import { readTypeDefs } from '../../src/graphql/schema.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Descriptions, as findBreakingChanges words them, of breaks that were decided on; docs/decisions/ says why. */
const ACCEPTED: readonly string[] = [];

describe('the public schema', () => {
  test('breaks no client that fits the schema as it last landed', () => {
    const before = lastLanded();
    if (before === null) {
      process.stderr.write('Git knows no earlier schema to compare with: nothing was compared.\n');
      return;
    }
    expect(breaks(before, readTypeDefs().join('\n'))).toEqual([]);
  });

  test('counts the loss of a field, of a value and of nullability as breaks, and an addition as none', () => {
    const before = 'type Query { a: Int! b(c: Kind): Int } enum Kind { ONE TWO }';
    expect(breaks(before, 'type Query { a: Int! b(c: Kind): Int d: Int } enum Kind { ONE TWO THREE }')).toEqual([]);
    expect(breaks(before, 'type Query { a: Int b(c: Kind!): Int } enum Kind { ONE }')).toHaveLength(3);
  });
});

function breaks(before: string, after: string): readonly string[] {
  return findBreakingChanges(buildSchema(before), buildSchema(after))
    .map(({ description }) => description)
    .filter((description) => !ACCEPTED.includes(description));
}

/** The newest committed schema that is not the one at hand; in a clean checkout that is the one before. Null: there is none. */
function lastLanded(): string | null {
  const now = printSchema(buildSchema(readTypeDefs().join('\n')));
  for (const commit of lines(git('log', '-n', '2', '--format=%H', '--', 'schema'))) {
    const files = lines(git('ls-tree', '-r', '--name-only', commit, '--', 'schema')).filter((name) => name.endsWith('.graphql'));
    const text = files.map((file) => git('show', `${commit}:${file}`) ?? '').join('\n');
    if (files.length > 0 && printSchema(buildSchema(text)) !== now) return text;
  }
  return null;
}

/** Null when there is no git, no repository, or no such commit. */
function git(...args: readonly string[]): string | null {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 });
  } catch {
    return null;
  }
}

function lines(text: string | null): readonly string[] {
  return (text ?? '').split('\n').filter((line) => line !== '');
}
