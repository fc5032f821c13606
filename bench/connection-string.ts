import type { DatabaseAddress } from '../src/platform/postgres.ts';

/** As one string, which PostGraphile's driver understands; the directory of a unix socket is encoded where the host stands. */
export function connectionStringOf(address: DatabaseAddress): string {
  if ('url' in address) return address.url;
  const { host, port, user, database } = address;
  return `postgres://${user}@${encodeURIComponent(host)}:${port}/${database}`;
}

/** What the other driver, which knows no such host, needs for the same. */
export function optionsOf(connectionString: string): { readonly url: string; readonly options: { readonly host?: string } } {
  const host = /@(%2F[^:]+):/i.exec(connectionString)?.[1];
  if (host === undefined) return { url: connectionString, options: {} };
  return { url: connectionString.replace(host, 'localhost'), options: { host: decodeURIComponent(host) } };
}
