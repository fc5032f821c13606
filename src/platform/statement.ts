/** How rows are made of the values that a statement answers, in the order of its columns. */
export type RowsForm<Row extends object> = {
  /** The names of the columns, in their order. Other ones fail at the first answer. */
  readonly columns: readonly string[];
  /** What was answered as a whole: not each of it need become a row. */
  readonly rowsOf: (answered: readonly (readonly unknown[])[]) => readonly Row[];
};

const forms = new WeakMap<TemplateStringsArray, RowsForm<object>>();

/**
 * A statement that is put together once, when its module is loaded, of texts in our code: `?` stands for each parameter, and for nothing
 * else. To be kept and used again, as the driver prepares it once on each connection: ``sql(statement, ...values)``.
 *
 * With a form its rows are made by that: the driver adds one property after the other, which for rows of twenty columns takes as long as all
 * else that it does.
 */
export function statementOf<Row extends object>(text: string, form?: RowsForm<Row>): TemplateStringsArray {
  const strings = text.split('?');
  const statement = Object.assign(strings, { raw: strings });
  if (form !== undefined) forms.set(statement, form);
  return statement;
}

export function rowsFormOf(statement: TemplateStringsArray): RowsForm<object> | null {
  return forms.get(statement) ?? null;
}

const texts = new WeakMap<TemplateStringsArray, string>();

/** What was written, with `?` for each parameter. */
export function textOf(statement: TemplateStringsArray): string {
  const known = texts.get(statement);
  if (known !== undefined) return known;
  const text = statement.join('?');
  texts.set(statement, text);
  return text;
}
