import { describe, expect, test } from 'vitest';
import type { Context } from '../../src/graphql/context.ts';
import { requireViewer } from '../../src/graphql/context.ts';
import { perRequest } from '../../src/graphql/per-request.ts';
import type { Resolvers } from '../../src/graphql/schema.generated.ts';
import { createSchema, readTypeDefs } from '../../src/graphql/schema.ts';

const nobody = (): Context => ({ viewer: null, isService: false, requestId: 'r1' });

describe('the executable schema', () => {
  test('is made of all files of schema/ and the scalars', () => {
    const schema = createSchema([]);
    expect(readTypeDefs().length).toBeGreaterThan(4);
    for (const name of ['Viewer', 'Conversation', 'Message', 'CaughtUp']) expect(schema.getTypeMap()).toHaveProperty(name);
    for (const name of ['DateTime', 'Cursor', 'EventCursor']) {
      const scalar = schema.getType(name);
      // A scalar without a resolver would take anything.
      expect(() => scalar !== undefined && 'parseValue' in scalar && scalar.parseValue('not one')).toThrow(`${name} must be`);
    }
    expect(schema.getMutationType()?.getFields()).toHaveProperty('sendMessage');
    expect(schema.getSubscriptionType()?.getFields()).toHaveProperty('viewerEvents');
  });

  test('merges the parts, so that several domains may add to one type', () => {
    const schema = createSchema([{ Query: { viewer: () => null } }, { Query: { node: () => null } }]);
    const { viewer, node } = schema.getQueryType()?.getFields() ?? {};
    expect([typeof viewer?.resolve, typeof node?.resolve]).toEqual(['function', 'function']);
  });

  test('is refused when a part answers what the schema does not ask', () => {
    // Such a part does not compile; it stands for one that lost its types on the way.
    const stray = { Query: { vewer: () => null } } as Resolvers;
    expect(() => createSchema([stray])).toThrow(/vewer/);
  });
});

describe('a value made per request', () => {
  test('is made once for a request and anew for the next, also when it is undefined', () => {
    let made = 0;
    const value = perRequest(() => {
      made += 1;
      return undefined;
    });
    const [first, second] = [nobody(), nobody()];
    for (const context of [first, first, second, first]) value(context);
    expect(made).toBe(2);
  });
});

describe('who asks', () => {
  test('must have signed in where a viewer is needed', () => {
    expect(() => requireViewer(nobody())).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED', message: 'Sign in first.' }));
  });
});
