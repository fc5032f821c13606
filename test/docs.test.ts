import { expect, test } from 'vitest';
import { describeSettings } from '../src/config.ts';

test('docs/configuration.md is what the settings say of themselves; `npx vitest run test/docs.test.ts -u` writes it', async () => {
  await expect(describeSettings()).toMatchFileSnapshot('../docs/configuration.md');
});
