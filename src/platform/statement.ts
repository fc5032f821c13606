/**
 * A statement that is put together once, when its module is loaded, of texts in our code: `?` stands for each parameter, and for nothing
 * else. To be kept and used again, as the driver prepares it once on each connection: ``sql(statement, ...values)``.
 */
export function statementOf(text: string): TemplateStringsArray {
  const strings = text.split('?');
  return Object.assign(strings, { raw: strings });
}
