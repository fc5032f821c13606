import { serverAudits } from 'graphql-http';
import { expect, test } from 'vitest';
import { startTinyServer } from './tiny-server.ts';

test('every audit of GraphQL over HTTP is met', async () => {
  await using server = await startTinyServer();
  const audits = serverAudits({ url: `${server.url}/graphql` });
  const results = [];
  for (const audit of audits) results.push(await audit.fn());
  const unmet = results
    .filter(({ status }) => status !== 'ok')
    .map((result) => `${result.id} ${result.name} ${'reason' in result ? result.reason : ''}`);
  expect(unmet).toEqual([]);
  expect(results.length).toBeGreaterThanOrEqual(61);
});
