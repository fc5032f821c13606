/** The issuer of our own tokens: a provider of that name could not be told from us. */
export const ISSUER = 'rookery';
