// An oauth2-mock-server that signs whatever a token request asks it to.
//
// It prints "ready ISSUER" once it listens, and ends with its stdin. The token
// request's fields payload and header, both JSON, replace the server's own
// claims and change its header; a header that is null is left out.
import { Events, OAuth2Server } from 'oauth2-mock-server';

const server = new OAuth2Server();
await server.issuer.keys.generate('RS256');

server.service.on(Events.BeforeTokenSigning, (token, { body }) => {
  if (body.payload) {
    for (const name of Object.keys(token.payload)) delete token.payload[name];
    Object.assign(token.payload, JSON.parse(body.payload));
  }
  for (const [name, value] of Object.entries(JSON.parse(body.header ?? '{}'))) {
    token.header[name] = value ?? undefined;
  }
});

await server.start(0, '127.0.0.1');
console.log(`ready ${server.issuer.url}`);
process.stdin.resume().on('close', () => process.exit());
