import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';

export type ProviderKey = { readonly kid: string; readonly alg: string; readonly privateKey: CryptoKey; readonly publicJwk: JWK };

export const ISSUER = 'https://id.example.com/';
export const AUDIENCE = 'chat';

/** An identity provider: it publishes its keys at an address of this machine, and signs whatever is asked for. */
export class IdentityProvider implements AsyncDisposable {
  readonly #server: Server;
  /** How it answers; null: with its keys. */
  answer: { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } | null = null;
  /** How often its keys were asked for. */
  asked = 0;
  published: ProviderKey[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<IdentityProvider> {
    const server = createServer((request, response) => {
      provider.asked += 1;
      request.resume();
      const {
        status,
        headers = {},
        body,
      } = provider.answer ?? { status: 200, body: JSON.stringify({ keys: provider.published.map(jwkOf) }) };
      response.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(body);
    });
    const provider = new IdentityProvider(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    provider.published = [await newKey('first', 'EdDSA')];
    return provider;
  }

  get jwksUrl(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('The provider must listen on a port.');
    return `http://127.0.0.1:${address.port}/jwks.json`;
  }

  /** A token for an hour by its first key, with these claims, and these changes to the rest. */
  async token(claims: Readonly<Record<string, unknown>>, header: object = {}, key = this.published[0]): Promise<string> {
    if (key === undefined) throw new Error('There must be a key to sign with.');
    return signed(claims, { alg: key.alg, kid: key.kid, typ: 'JWT', ...header }, key.privateKey);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** As `token`, by any key. */
export function signed(
  claims: Readonly<Record<string, unknown>>,
  header: JWTHeaderParameters,
  key: Parameters<SignJWT['sign']>[0],
): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const payload = { iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 3_600, ...claims };
  return new SignJWT(payload).setProtectedHeader(header).sign(key);
}

export async function newKey(kid: string, alg: string): Promise<ProviderKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: await exportJWK(publicKey) };
}

function jwkOf({ kid, alg, publicJwk }: ProviderKey): JWK {
  return { ...publicJwk, kid, alg, use: 'sig' };
}
