import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EventReader, type GraphQLResult, type HttpOptions, post } from './kit/http.ts';
import { Person } from './kit/person.ts';
import { startTestServer } from './kit/server.ts';

const FOLDER = new URL('../docs/guide/', import.meta.url);
const SERVICE_TOKEN = 'the-service-token-of-the-guide-0123456789';
const OPERATION = /```graphql\n(?:# as (.+)\n)?([\s\S]*?)```/g;

/**
 * The operations in their order of each page that says by whom they are run, on a server of its own. Who runs one is said by its first line: `# as nobody`, `# as service`,
 * `# as service for usr_…`, or by the handle of somebody who signs up when first named; without such a line it is whoever ran the last.
 * `usr_…` stands for the last id of that kind in an answer, `<cursor>` for the last value of a field of that name.
 */
test.each(readdirSync(FOLDER).filter(saysByWhom))('the operations of docs/guide/%s work as they stand there', async (name) => {
  await using server = await startTestServer({ config: { serviceToken: SERVICE_TOKEN } });
  const people = new Map<string, Person>();
  const seen = new Map<string, string>();
  const filledIn = (text: string) =>
    text.replaceAll(
      /\b([a-z]{3}_)…|<(\w+)>/g,
      (placeholder, prefix, field) => seen.get(prefix ?? field) ?? `${placeholder} was in no answer`,
    );

  async function optionsOf(who: string): Promise<HttpOptions> {
    const [, actingAs] = /^service for (.+)$/.exec(who) ?? [];
    if (who === 'nobody') return {};
    if (who === 'service') return { accessToken: SERVICE_TOKEN };
    if (actingAs !== undefined) return { accessToken: SERVICE_TOKEN, headers: { 'Rookery-Acting-As': filledIn(actingAs) } };
    const person = people.get(who) ?? (await Person.signUp(server.url, who, who));
    people.set(who, person);
    return { accessToken: person.accessToken };
  }

  let who = 'nobody';
  let count = 0;
  for (const [, by = who, text = ''] of readFileSync(new URL(name, FOLDER), 'utf8').matchAll(OPERATION)) {
    who = by;
    count += 1;
    const query = filledIn(text);
    const result = await run(server.url, query, await optionsOf(who));
    expect(result?.errors, query).toBeUndefined();
    expect(result?.data, query).toBeTruthy();
    note(seen, result?.data);
  }
  expect(count).toBeGreaterThan(0);
});

function saysByWhom(name: string): boolean {
  return name.endsWith('.md') && readFileSync(new URL(name, FOLDER), 'utf8').includes('```graphql\n# as ');
}

/** The answer; of a subscription the first. */
async function run(url: string, query: string, options: HttpOptions): Promise<GraphQLResult | null | undefined> {
  if (!query.trimStart().startsWith('subscription')) return (await post(url, query, options)).body;
  await using events = await EventReader.open(url, query, options);
  return (await events.next())?.data;
}

function note(seen: Map<string, string>, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [field, inner] of Object.entries(value)) {
    if (typeof inner !== 'string') {
      note(seen, inner);
      continue;
    }
    seen.set(field, inner);
    const [prefix] = /^[a-z]{3}_(?=[0-9a-z]{26})/.exec(inner) ?? [];
    if (prefix !== undefined) seen.set(prefix, inner);
  }
}
