import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A key that checks signatures, and the algorithms (RFC 7518, RFC 8037) by which it may: a token does not choose how it is checked. */
export type PublicKey = { readonly key: KeyObject; readonly algorithms: readonly string[] };

const RSA_BITS_MIN = 2_048;

/** Of a PEM (SPKI) or a JWK. Throws the reason in words, which never quote the key: it may be a private one, by mistake. */
export function readPublicKey(text: string): PublicKey {
  const key = parse(text.trim());
  return { key, algorithms: algorithmsOf(key) };
}

function parse(text: string): KeyObject {
  if (text.includes('PRIVATE KEY')) throw new Error('must be the public half of the key, got the private one');
  try {
    // Environments that know no line breaks write them as \n.
    return text.startsWith('{') ? ofJwk(JSON.parse(text)) : createPublicKey({ key: text.replaceAll('\\n', '\n'), format: 'pem' });
  } catch (error) {
    if (error instanceof PrivateKeyError) throw error;
    throw new Error('must be a public key as PEM (-----BEGIN PUBLIC KEY-----) or as JWK ({"kty": …}), got something else');
  }
}

class PrivateKeyError extends Error {}

function ofJwk(jwk: JsonWebKey): KeyObject {
  if ('d' in jwk) throw new PrivateKeyError('must be the public half of the key, got the private one');
  return createPublicKey({ key: jwk, format: 'jwk' });
}

function algorithmsOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const { modulusLength = 0, namedCurve } = asymmetricKeyDetails ?? {};
  switch (asymmetricKeyType) {
    case 'ed25519':
      return ['EdDSA'];
    case 'ec':
      if (namedCurve === 'prime256v1') return ['ES256'];
      if (namedCurve === 'secp384r1') return ['ES384'];
      throw new Error(`must be on the curve P-256 or P-384 when it is an EC key, got ${namedCurve}`);
    case 'rsa':
      if (modulusLength < RSA_BITS_MIN)
        throw new Error(`must have at least ${RSA_BITS_MIN} bits when it is an RSA key, got ${modulusLength}`);
      return ['RS256', 'PS256'];
    default:
      throw new Error(`must be an Ed25519, EC or RSA key, got ${asymmetricKeyType}`);
  }
}
