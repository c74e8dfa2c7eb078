// A transmitter of the Shared Signals Framework, made of npm jose and fetch: it serves its
// metadata and its keys, and pushes what it is told.
//
//	node transmitter.mjs <address of the receiver> <value of Authorization>
//
// It prints "ready" and its issuer. A line of JSON on stdin, {alg, kid, typ, claims}, is a
// SET to push: it prints "pushed", the status and the body. iss, jti and iat are added. The
// key of alg and kid is made when it is first used, and published then.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const [endpoint, authorization] = process.argv.slice(2);
const keys = new Map();
const jwks = { keys: [] };

async function keyOf(alg, kid) {
  if (!keys.has(kid)) {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    keys.set(kid, privateKey);
    jwks.keys.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
  }
  return keys.get(kid);
}

const server = createServer((request, response) => {
  const documents = {
    '/.well-known/ssf-configuration': { spec_version: '1_0', issuer, jwks_uri: `${issuer}/jwks.json`, delivery_methods_supported: ['urn:ietf:rfc:8935'] },
    '/jwks.json': jwks,
  };
  const found = documents[request.url];
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ?? {}));
});
await keyOf('RS256', 'first');
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(`ready ${issuer}`);

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { alg = 'RS256', kid = 'first', typ = 'secevent+jwt', claims } = JSON.parse(line);
  const set = await new SignJWT(claims)
    .setProtectedHeader({ alg, kid, typ })
    .setIssuer(issuer)
    .setJti(randomUUID())
    .setIssuedAt()
    .sign(await keyOf(alg, kid));
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/secevent+jwt', accept: 'application/json' },
    body: set,
  });
  console.log(`pushed ${response.status} ${await response.text()}`);
}
server.close();
