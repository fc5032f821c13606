import { describe, expect, test } from 'vitest';
import { checkPageSize, connectionResolvers, forwardPage, pageInfo } from '../../src/graphql/connection.ts';

const edges = ['a', 'b', 'c'].map((node) => ({ cursor: `at-${node}`, node }));

describe('a connection', () => {
  test('says where its page begins and ends', () => {
    expect(pageInfo({ edges, hasNextPage: true, hasPreviousPage: false })).toEqual({
      hasNextPage: true,
      hasPreviousPage: false,
      startCursor: 'at-a',
      endCursor: 'at-c',
    });
  });

  test('has no cursors when it is empty', () => {
    expect(pageInfo({ edges: [], hasNextPage: false, hasPreviousPage: true })).toEqual({
      hasNextPage: false,
      hasPreviousPage: true,
      startCursor: null,
      endCursor: null,
    });
  });

  test('offers its nodes beside its edges, in the same order', () => {
    const { nodes, pageInfo: place } = connectionResolvers<string>();
    const connection = { edges, hasNextPage: false, hasPreviousPage: false };
    expect(nodes(connection)).toEqual(['a', 'b', 'c']);
    expect(place(connection)).toEqual(pageInfo(connection));
  });
});

describe('a page that is read forward', () => {
  test('holds 1 to 100', () => {
    expect(forwardPage({ first: 1 })).toEqual({ first: 1, after: null });
    expect(forwardPage({ first: 100, after: 'x' })).toEqual({ first: 100, after: 'x' });
    expect(forwardPage({ first: 20, after: null })).toEqual({ first: 20, after: null });
  });

  test.each([0, -1, 101, 2 ** 31 - 1])('is refused with first: %i', (first) => {
    expect(() => forwardPage({ first })).toThrow(`first must be 1 to 100, got ${first}.`);
    expect(() => forwardPage({ first })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT', details: { field: 'first' } }));
  });

  test('names the argument at fault', () => {
    expect(() => checkPageSize('aroundSize', 101)).toThrow('aroundSize must be 1 to 100, got 101.');
  });
});
