// A client of npm oauth4webapi with keys for DPoP, a certificate for mutual TLS, or both: a
// line of JSON on stdin is an order, a line "answer JSON" on stdout its result.
//
// The argument, if any, is {ca, certificates}, each of which is {key, cert} in PEM under a
// name. Every order has the key for DPoP, named by algorithm and number, such as ES256-1,
// and made when first named, and the name of a certificate; without them there is no DPoP,
// and no certificate.
//
//	{grant: {issuer, client, secret, resource}} gets a token: {token, type, jkt, tries}
//	{call: {url, method, token, http, version, body}} calls an API with it: {status, body,
//	challenges, nonce, tries, sent, alpn, reused}
//
// http is 1 or 2 and version the highest of TLS, both of them for tls only. Challenges are
// as the library reads them, sent are the fields of the last request, reused is whether
// its TLS session was resumed. What needs a nonce is tried once more with the one that the
// server gave. It ends with its stdin.
import http2 from 'node:http2';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { connect } from 'node:tls';
import * as oauth from 'oauth4webapi';

const { ca, certificates } = JSON.parse(process.argv[2] ?? '{}');
const made = new Map();

async function handle(name) {
  if (name && !made.has(name)) made.set(name, oauth.DPoP({}, await oauth.generateKeyPair(name.split('-')[0])));
  return made.get(name);
}

let DPoP; // of the order, as is the next one
let certificate;
let last; // about the last request
const agents = new Map(); // by certificate and version of TLS; an agent resumes its sessions
const sessions = new Map(); // those of HTTP/2

function overHTTP1(url, { method, headers, body }, version) {
  const name = `${certificate} ${version}`;
  if (!agents.has(name)) {
    agents.set(name, new https.Agent({ ca, ...certificates[certificate], ALPNProtocols: ['http/1.1'], maxVersion: version }));
  }
  return new Promise((resolve, reject) => {
    https.request(url, { agent: agents.get(name), method, headers }, (res) => {
      last.alpn = res.socket.alpnProtocol;
      last.reused = res.socket.isSessionReused();
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('end', () => resolve(new Response(Buffer.concat(chunks), { status: res.statusCode, headers: res.headers })));
    }).on('error', reject).end(body && String(body));
  });
}

function overHTTP2(url, { method, headers, body }, version) {
  const { hostname, port, origin, pathname, search } = new URL(url);
  const name = `${origin} ${certificate} ${version}`;
  const socket = connect({
    ca, ...certificates[certificate], host: hostname, port, ALPNProtocols: ['h2'], maxVersion: version, session: sessions.get(name),
  });
  socket.on('session', (session) => sessions.set(name, session));
  return new Promise((resolve, reject) => {
    const h2 = http2.connect(origin, { createConnection: () => socket }).on('error', reject);
    const stream = h2.request({ ...headers, ':method': method, ':path': pathname + search }).on('error', reject);
    const chunks = [];
    let fields;
    stream.on('response', (all) => { fields = all; });
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      last.alpn = socket.alpnProtocol;
      last.reused = socket.isSessionReused();
      h2.close();
      const headers = Object.entries(fields).filter(([name]) => !name.startsWith(':')); // and without its symbols
      resolve(new Response(Buffer.concat(chunks), { status: fields[':status'], headers }));
    });
    stream.end(body && String(body));
  });
}

// transport returns the options of a request.
function transport({ http = 1, version } = {}) {
  return {
    DPoP,
    [oauth.allowInsecureRequests]: true,
    [oauth.customFetch]: (url, init) => {
      last.tries += 1;
      last.sent = init.headers;
      if (!ca) return fetch(url, init);
      return http === 2 ? overHTTP2(url, init, version) : overHTTP1(url, init, version);
    },
  };
}

async function withNonce(attempt) {
  try {
    return await attempt();
  } catch (error) {
    if (!DPoP || !oauth.isDPoPNonceError(error)) throw error;
    return attempt();
  }
}

async function grant({ issuer, client: id, secret, resource }) {
  const options = transport();
  const url = new URL(issuer);
  const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, options));
  const auth = secret ? oauth.ClientSecretBasic(secret) : oauth.TlsClientAuth();
  last.tries = 0;
  const given = await withNonce(async () => oauth.processClientCredentialsResponse(
    as,
    { client_id: id },
    await oauth.clientCredentialsGrantRequest(as, { client_id: id }, auth, { resource, scope: 'orders:read' }, options),
  ));
  return { token: given.access_token, type: given.token_type, jkt: await DPoP?.calculateThumbprint(), tries: last.tries };
}

async function call({ url, method, token, body, headers, ...connection }) {
  const attempt = () => oauth.protectedResourceRequest(
    token, method, new URL(url), new Headers(headers), body, transport(connection),
  );
  let response;
  let challenges = [];
  try {
    response = await withNonce(attempt);
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    response = error.response;
    challenges = error.cause;
  }
  return {
    ...last, status: response.status, body: await response.text(), challenges,
    nonce: response.headers.get('dpop-nonce') ?? '',
  };
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const order = JSON.parse(line);
  last = { tries: 0 };
  DPoP = await handle(order.key);
  certificate = order.certificate;
  let answer;
  try {
    answer = order.grant ? await grant(order.grant) : await call(order.call);
  } catch (error) {
    console.error(error);
    answer = { error: `${error}` };
  }
  console.log(`answer ${JSON.stringify(answer)}`);
}
process.exit();
