const PADDING_LENGTH = 8_000;
/** Every so many, a body is long, so that who reads slowly falls behind. */
const LONG_EVERY = 5;

/** A text that no other of a run has. */
export function contentNumbered(number: number): string {
  return `content ${number}`;
}

/** What is sent for a content. */
export function bodyOf(content: string): string {
  return Number(content.split(' ')[1]) % LONG_EVERY === 0 ? `${content} ${'x'.repeat(PADDING_LENGTH)}` : content;
}

/** The content of a body, as a text of its own that does not keep the long one alive. */
export function contentOf<Body extends string | null>(body: Body): string | (Body extends null ? null : never);
export function contentOf(body: string | null): string | null {
  const number = body === null ? null : (/^content (\d+)( x|$)/.exec(body)?.[1] ?? null);
  return number === null ? body : contentNumbered(Number(number));
}
