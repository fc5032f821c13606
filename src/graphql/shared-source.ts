import { randomUUID } from 'node:crypto';
import type { ExecutionResult } from 'graphql';
import type { ObjectPlan } from './execution-plan.ts';

type Data = Record<string, unknown>;

/**
 * What resolvers give to several operations that ask for the same at the same time, such as the newest page of a conversation that many open at
 * once: what it comes to under the same selection is worked out for the first of them, and its text for the second. All must be given the very same
 * object.
 */
export abstract class SharedSource {
  /** What it came to for who asked last, by what was asked; for others only where that does not depend on who asks. */
  readonly answers = new Map<ObjectPlan, Data>();
}

/** Stands in a text where another one is put in. It is made anew by each process and never told, so that nothing that is answered can be it. */
const MARK = randomUUID();
const JSON_METHOD = 'toJSON';

/** Those to be put into the text that is being written; null: none is. */
let written: string[] | null = null;

/** The same object, and the same JSON; but `resultText` makes it once. */
export function writtenOnce<Written extends Data>(data: Written): Written {
  if (Object.hasOwn(data, JSON_METHOD)) return data; // An alias of the client's.
  let text: string | null = null;
  const value = () => {
    if (written === null) return data;
    const texts = written;
    written = null;
    try {
      text ??= JSON.stringify(data);
    } finally {
      written = texts;
    }
    texts.push(text);
    return MARK;
  };
  return Object.defineProperty(data, JSON_METHOD, { value, enumerable: false });
}

/** The result as JSON, as `JSON.stringify` has it. What several operations share is written once. */
export function resultText(result: ExecutionResult): string {
  const texts: string[] = [];
  written = texts;
  try {
    const text = JSON.stringify(result);
    if (texts.length === 0) return text;
    const between = text.split(`"${MARK}"`);
    return between.map((piece, index) => piece + (texts[index] ?? '')).join('');
  } finally {
    written = null;
  }
}
