// An oidc-provider for the client-credentials grant.
//
// It prints "ready ISSUER" once it listens. A line "keys ES256-1 ES256-2" on
// stdin publishes these keys, of which the first signs, and is answered with
// "done"; the arguments are the first such line. Keys are made when first named.
// DEFAULT_RESOURCE in the environment is the resource of requests that name none.
// It ends with its stdin.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null); // Node.js 20

const { Provider } = await import('oidc-provider');

const kinds = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  ES384: ['ec', { namedCurve: 'P-384' }],
  ES512: ['ec', { namedCurve: 'P-521' }],
  EdDSA: ['ed25519'],
};
const made = new Map();

function key(kid) {
  if (!made.has(kid)) {
    const [alg] = kid.split('-');
    const { privateKey } = generateKeyPairSync(...kinds[alg]);
    made.set(kid, { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' });
  }
  return made.get(kid);
}

// Two resources are special: one stands for two audiences, since a
// client-credentials request may name a single resource; one gets encrypted
// tokens.
const everything = 'https://everything.example.com';
const sealed = 'https://sealed.example.com';

// A provider's keys are fixed, so each set of keys is a new provider at the
// same address.
function provider(issuer, kids) {
  const keys = kids.map(key);
  const sign = { alg: keys[0].alg, kid: keys[0].kid };
  const encrypt = { alg: 'dir', enc: 'A128CBC-HS256', key: Buffer.alloc(32, 'k') };
  return new Provider(issuer, {
    jwks: { keys },
    enabledJWA: { idTokenSigningAlgValues: Object.keys(kinds) },
    clientDefaults: { id_token_signed_response_alg: sign.alg },
    clients: [{
      client_id: 'shop',
      client_secret: 'shop-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: (ctx, client, oneOf) => oneOf ?? process.env.DEFAULT_RESOURCE,
        getResourceServerInfo: (ctx, resource) => ({
          scope: 'orders:read orders:write',
          accessTokenFormat: 'jwt',
          jwt: resource === sealed ? { sign, encrypt } : { sign },
        }),
      },
    },
    formats: {
      customizers: {
        jwt(ctx, token, { payload }) {
          if (payload.aud === everything) {
            payload.aud = ['https://billing.example.com', 'https://api.example.com'];
          }
        },
      },
    },
  }).callback();
}

let answer;
const server = createServer((req, res) => answer(req, res));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  answer = provider(issuer, process.argv.slice(2));
  console.log(`ready ${issuer}`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    answer = provider(issuer, line.split(' ').slice(1));
    console.log('done');
  }).on('close', () => process.exit());
});
