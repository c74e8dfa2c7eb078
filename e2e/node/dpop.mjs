// A client of npm dpop, which makes proofs and leaves the rest to its caller: the same
// orders as those of oauth4webapi.mjs, without TLS, and
//
//	{prove: {htu, htm, token, nonce}} makes a proof: {proof}
//
// Challenges are not read, but for the one with use_dpop_nonce.
import { createInterface } from 'node:readline';
import * as DPoP from 'dpop';

const made = new Map();

async function keyOf(name) {
  if (!made.has(name)) made.set(name, { pair: await DPoP.generateKeyPair(name.split('-')[0]), nonces: new Map() });
  return made.get(name);
}

let pair; // of the order
let nonces; // by origin, of this key as well

async function send(url, method, authorization, body, token) {
  const { origin } = new URL(url);
  let response;
  let sent;
  let tries = 0;
  do {
    const nonce = nonces.get(origin);
    sent = { authorization, dpop: await DPoP.generateProof(pair, url, method, nonce, token) };
    response = await fetch(url, { method, headers: sent, body });
    nonces.set(origin, response.headers.get('dpop-nonce') ?? nonce);
    tries += 1;
    const text = `${response.headers.get('www-authenticate')} ${response.status === 400 ? await response.clone().text() : ''}`;
    if (!text.includes('use_dpop_nonce')) break;
  } while (tries < 2);
  return { response, sent, tries };
}

async function grant({ issuer, client, secret, resource }) {
  const { token_endpoint: url } = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const body = new URLSearchParams({ grant_type: 'client_credentials', resource, scope: 'orders:read' });
  const { response, tries } = await send(url, 'POST', `Basic ${btoa(`${client}:${secret}`)}`, body);
  const given = await response.json();
  if (!response.ok) throw new Error(JSON.stringify(given));
  return { token: given.access_token, type: given.token_type.toLowerCase(), jkt: await DPoP.calculateThumbprint(pair.publicKey), tries };
}

async function call({ url, method, token, body }) {
  const { response, sent, tries } = await send(url, method, `DPoP ${token}`, body, token);
  return { status: response.status, body: await response.text(), nonce: response.headers.get('dpop-nonce') ?? '', sent, tries };
}

const prove = async ({ htu, htm, token, nonce }) => ({ proof: await DPoP.generateProof(pair, htu, htm, nonce, token) });

console.log('ready');
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const { key, grant: g, call: c, prove: p } = JSON.parse(line);
  ({ pair, nonces } = await keyOf(key));
  let answer;
  try {
    answer = await (g ? grant(g) : c ? call(c) : prove(p));
  } catch (error) {
    console.error(error);
    answer = { error: `${error}` };
  }
  console.log(`answer ${JSON.stringify(answer)}`);
}
process.exit();
