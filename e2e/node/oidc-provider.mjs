// An oidc-provider for the client-credentials grant.
//
// It prints "ready ISSUER" once it listens. A line "keys ES256-1 ES256-2" on
// stdin publishes these keys, of which the first signs, and is answered with
// "done"; the arguments are the first such line. Keys are made when first named.
// DEFAULT_RESOURCE in the environment is the resource of requests that name none.
// With DPOP_NONCE, token requests with DPoP need a nonce. TLS is JSON with key and cert in
// PEM, for https, and with the certificates of the clients that authenticate with theirs
// (RFC 8705), by client id; their tokens are bound to it.
// It ends with its stdin.
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
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

const tls = process.env.TLS && JSON.parse(process.env.TLS);

function certificateOf(ctx) {
  const { raw } = ctx.req.socket.getPeerCertificate?.() ?? {};
  return raw && new X509Certificate(raw);
}

// Clients that authenticate with a certificate that they have signed themselves.
const certified = Object.entries(tls?.clients ?? {}).map(([id, pem]) => {
  const cert = new X509Certificate(pem);
  return {
    client_id: id,
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    tls_client_certificate_bound_access_tokens: true,
    jwks: { keys: [{ ...cert.publicKey.export({ format: 'jwk' }), x5c: [cert.raw.toString('base64')] }] },
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  };
});

// A provider's keys are fixed, so each set of keys is a new provider at the
// same address.
function provider(issuer, kids) {
  const keys = kids.map(key);
  const sign = { alg: keys[0].alg, kid: keys[0].kid };
  const encrypt = { alg: 'dir', enc: 'A128CBC-HS256', key: Buffer.alloc(32, 'k') };
  return new Provider(issuer, {
    jwks: { keys },
    enabledJWA: {
      idTokenSigningAlgValues: Object.keys(kinds),
      dPoPSigningAlgValues: ['ES256', 'ES384', 'ES512', 'Ed25519', 'RS256', 'PS256'],
    },
    clientAuthMethods: ['client_secret_basic', ...(tls ? ['self_signed_tls_client_auth'] : [])],
    clientDefaults: { id_token_signed_response_alg: sign.alg },
    clients: [{
      client_id: 'shop',
      client_secret: 'shop-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }, ...certified],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: {
        enabled: true,
        nonceSecret: Buffer.alloc(32, 'n'),
        requireNonce: () => Boolean(process.env.DPOP_NONCE),
      },
      mTLS: {
        enabled: Boolean(tls),
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: certificateOf,
      },
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
          // The provider itself binds a token to one key. Bind it to both.
          const cert = payload.cnf?.jkt && certificateOf(ctx);
          if (cert) {
            payload.cnf['x5t#S256'] = createHash('sha256').update(cert.raw).digest('base64url');
          }
        },
      },
    },
  }).callback();
}

let answer;
const serve = (req, res) => answer(req, res);
const server = tls
  ? https.createServer({ key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false }, serve)
  : http.createServer(serve);
server.listen(0, '127.0.0.1', () => {
  const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
  answer = provider(issuer, process.argv.slice(2));
  console.log(`ready ${issuer}`);
  createInterface({ input: process.stdin }).on('line', (line) => {
    answer = provider(issuer, line.split(' ').slice(1));
    console.log('done');
  }).on('close', () => process.exit());
});
