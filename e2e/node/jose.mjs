// npm jose, asked about tokens: a line of JSON on stdin, a line of JSON on stdout.
//
// A question is {jwks, token, issuer, audience, algorithms, leeway}, its jwks as
// text; the answer is {claims}, or {error}. It ends with its stdin and uses no
// network.
import { createInterface } from 'node:readline';
import { createLocalJWKSet, errors, jwtVerify } from 'jose';

const sets = new Map(); // from the text to what finds keys in it

function keysOf(text) {
  if (!sets.has(text)) sets.set(text, createLocalJWKSet(JSON.parse(text)));
  return sets.get(text);
}

async function verify({ jwks, token, issuer, audience, algorithms, leeway }) {
  const options = { issuer, audience, algorithms, clockTolerance: leeway, requiredClaims: ['exp'] };
  try {
    return (await jwtVerify(token, keysOf(jwks), options)).payload;
  } catch (error) {
    // Several keys may be meant: its documentation has the caller try each.
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error) {
      try {
        return (await jwtVerify(token, key, options)).payload;
      } catch (other) {
        if (!(other instanceof errors.JWSSignatureVerificationFailed)) throw other;
      }
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let answer;
  try {
    answer = JSON.stringify({ claims: await verify(JSON.parse(line)) });
  } catch (error) {
    answer = JSON.stringify({ error: String(error?.code ?? error) });
  }
  process.stdout.write(`${answer}\n`);
}
