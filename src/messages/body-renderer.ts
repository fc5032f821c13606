import { setImmediate as nextTurn } from 'node:timers/promises';
import { createLengthCache } from '../platform/length-cache.ts';
import { renderBody } from './body-html.ts';

export type BodyRenderer = {
  /** A body as HTML: at once when it is known or there is time in this turn of the event loop, else in a later turn. */
  html(body: string): string | Promise<string>;
};

export type BodyRendererOptions = {
  /** How long all rendering together may hold one turn, in milliseconds; the body that goes beyond is finished. */
  readonly turnMsMax?: number;
  /** Of what is remembered, bodies and HTML together, in UTF-16 units. */
  readonly keptLengthMax?: number;
};

const TURN_MS_MAX = 10;
const KEPT_LENGTH_MAX = 4_000_000;

/**
 * Renders for everybody on this node. A body takes a millisecond as a rule, but one that is made for it some eighty, and an operation may
 * ask for hundreds: so the work is spread over turns, between which others are served, and what was rendered lately is not rendered again.
 */
export function createBodyRenderer({ turnMsMax = TURN_MS_MAX, keptLengthMax = KEPT_LENGTH_MAX }: BodyRendererOptions = {}): BodyRenderer {
  const kept = createLengthCache<string>({ lengthMax: keptLengthMax });
  /** Spent in this turn. */
  let spentMs = 0;
  let isTurnWatched = false;
  /** Whoever waits comes after those who wait already. */
  let last: Promise<unknown> | null = null;

  function render(body: string): string {
    const startedAt = performance.now();
    const html = kept.get(body) ?? renderBody(body);
    spentMs += performance.now() - startedAt;
    kept.set(body, html, html.length);
    if (!isTurnWatched) {
      isTurnWatched = true;
      setImmediate(() => {
        isTurnWatched = false;
        spentMs = 0;
      });
    }
    return html;
  }

  async function renderLater(body: string, before: Promise<unknown> | null): Promise<string> {
    await before?.catch(() => {}); // What went wrong there is told there.
    while (spentMs >= turnMsMax) await nextTurn();
    return render(body);
  }

  return {
    html(body) {
      const html = kept.get(body);
      if (html !== undefined) return html;
      if (last === null && spentMs < turnMsMax) return render(body);
      const rendered = renderLater(body, last);
      last = rendered;
      return rendered.finally(() => {
        if (last === rendered) last = null;
      });
    },
  };
}
