/** Numbers of a command line, `--name value` each, over their defaults. Throws an Error that says what was expected and what came. */
export function readWholeOptions<Name extends string>(
  words: readonly string[],
  defaults: Readonly<Record<Name, number>>,
): Readonly<Record<Name, number>> {
  const values: Record<Name, number> = { ...defaults };
  for (let at = 0; at < words.length; at += 2) {
    const [option = '', text = ''] = words.slice(at, at + 2);
    const name = (Object.keys(defaults) as Name[]).find((each) => option === `--${each}`); // Its keys.
    if (name === undefined)
      throw new Error(
        `An option must be one of ${Object.keys(defaults)
          .map((each) => `--${each}`)
          .join(', ')}, got ${option}.`,
      );
    if (!/^\d{1,15}$/.test(text))
      throw new Error(`${option} must be a whole number, got ${text === '' ? 'nothing' : JSON.stringify(text)}.`);
    values[name] = Number(text);
  }
  return values;
}
