import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');

/** Domains from the lowest to the highest: one may use those before it. */
const DOMAINS = ['identity', 'conversations', 'messages', 'presence', 'search', 'moderation', 'webhooks'];
const TYPES_ONLY = 'src/graphql/schema.generated.ts';

type Import = { readonly from: string; readonly to: string; readonly isType: boolean };

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name}`);

const imports: readonly Import[] = files.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s+(type\s)?[^;]*?from\s+'(\.[^']+)'|^import\s+()'(\.[^']+)'/gm)].map((match) => ({
    from: file,
    to: relative(root, resolve(root, dirname(file), match[2] ?? match[4] ?? '')),
    isType: match[1] !== undefined,
  }));
});

function layer(file: string): string {
  const [, folder = '', name] = file.split('/');
  const part = name === undefined ? folder.replace(/\.ts$/, '') : folder;
  return part === 'cli' ? 'main' : part;
}

/** Which parts a file may import: the table in docs/architecture.md. */
function mayImport({ from, to }: Import): boolean {
  const here = layer(from);
  const there = layer(to);
  if (here === there || here === 'app' || from === TYPES_ONLY) return true;
  if (here === 'main')
    return ['app', 'config', 'schema-files', 'platform', 'seed', ...DOMAINS].includes(there) && !/\/(store|resolvers)\.ts$/.test(to);
  // As a client that has learned to write rows: it uses domains by their doors and rules, and nothing uses it but the command.
  if (here === 'seed') return ['platform', 'identity', 'messages'].includes(there) && !/\/(store|resolvers|loaders)\.ts$/.test(to);
  if (here === 'platform' || here === 'config') return there === 'platform';
  if (here === 'client') return false;
  if (here === 'server') return !['app', 'main'].includes(there);
  if (here === 'graphql') return ['platform', 'events', 'identity'].includes(there);
  if (here === 'events')
    return ['platform', ...DOMAINS].includes(there) ? !to.endsWith('/resolvers.ts') : there === 'graphql' && from.endsWith('/resolvers.ts');
  if (!DOMAINS.includes(here)) return false;
  if (there === 'platform') return true;
  if (there === 'graphql') return /\/(resolvers|loaders)\.ts$/.test(from);
  if (there === 'events') return true;
  return (
    DOMAINS.indexOf(there) >= 0 &&
    DOMAINS.indexOf(there) < DOMAINS.indexOf(here) &&
    !to.endsWith('/store.ts') &&
    !to.endsWith('/resolvers.ts')
  );
}

describe('architecture', () => {
  test('every part imports only what it may', () => {
    expect(imports.filter((edge) => !mayImport(edge)).map(({ from, to }) => `${from} → ${to}`)).toEqual([]);
    expect(files.length).toBeGreaterThan(0);
  });

  test('no file takes part in a cycle of imports that run', () => {
    const edges = new Map<string, string[]>();
    for (const { from, to, isType } of imports) if (!isType) edges.set(from, [...(edges.get(from) ?? []), to]);
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test('the generated types are imported by resolvers and by graphql alone', () => {
    const importers = imports.filter(({ to }) => to === TYPES_ONLY).map(({ from }) => from);
    expect(importers.filter((file) => !file.endsWith('/resolvers.ts') && !file.startsWith('src/graphql/'))).toEqual([]);
  });

  test('SQL stands in stores, in the platform and in the parts of events that read rows', () => {
    const offenders = files.filter(
      (file) =>
        /\bsql(?:\.once)?(?:<[^`]*>)?`/.test(readFileSync(join(root, file), 'utf8')) &&
        !/\/(store|changes|resume-changes)\.ts$|^src\/platform\//.test(file),
    );
    expect(offenders).toEqual([]);
  });

  test('nothing in src depends on one runtime', () => {
    expect(files.filter((file) => /\bDeno\.[a-z]/.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });

  test('the client stays small: less than 300 lines in all', () => {
    const texts = files.filter((file) => layer(file) === 'client').map((file) => readFileSync(join(root, file), 'utf8'));
    expect(texts.length).toBeGreaterThan(0);
    expect(texts.join('').match(/\n/g)?.length).toBeLessThan(300);
  });

  test('files stay readable: none is longer than 400 lines', () => {
    const long = files.filter((file) => file !== TYPES_ONLY && readFileSync(join(root, file), 'utf8').split('\n').length > 400);
    expect(long).toEqual([]);
  });
});
