export type Mode = 'development' | 'production';

export type Environment = Readonly<Record<string, string | undefined>>;

/** How a setting is read: throws the reason in words, "must be …, got …", when the text does not fit. */
export type Setting<Value> = {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  /** As text, as the environment would have it; null: none. */
  readonly fallback: string | null;
  /** The environment is for a default that depends on other settings. */
  readonly read: (text: string | null, mode: Mode, environment: Environment) => Value;
};

export function whole(min: number, max: number): (text: string | null) => number {
  return (text) => {
    const value = Number(text);
    if (text === null || !/^\d+$/.test(text) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}, got ${JSON.stringify(text)}`);
    return value;
  };
}

export function oneOf<const Values extends readonly string[]>(values: Values): (text: string | null) => Values[number] {
  return (text) => {
    const value = values.find((each) => each === text);
    if (value === undefined) throw new Error(`must be one of ${values.join(', ')}, got ${JSON.stringify(text)}`);
    return value;
  };
}

/** For whatever is to be as hard to guess as SECRET. */
export const SECRET_LENGTH_MIN = 32;

export function atLeast(lengthMin: number): (text: string | null) => string | null {
  return (text) => {
    if (text !== null && text.length < lengthMin) throw new Error(`must have at least ${lengthMin} characters, got ${text.length}`);
    return text;
  };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127\./.test(host);
}
