// An MCP client of npm @modelcontextprotocol/sdk, which knows the server's URL, a client
// id and a secret, which issuer may have them, and the scopes to request. A line on stdin is the name of a tool
// to call; "answer JSON" on stdout is its result: {text} or {error}. It ends with its
// stdin.
import { createInterface } from 'node:readline';
import { ClientCredentialsProvider } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

const [url, clientId, clientSecret, expectedIssuer, scope] = process.argv.slice(2);
const authProvider = new ClientCredentialsProvider({ clientId, clientSecret, expectedIssuer, scope });
const client = new Client({ name: 'e2e', version: '1' });
let connected;

async function call(name) {
  try {
    connected ??= client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));
    await connected;
    const { content } = await client.callTool({ name, arguments: {} });
    return { text: content[0].text };
  } catch (error) {
    return { error: String(error) };
  }
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  console.log(`answer ${JSON.stringify(await call(line))}`);
}
process.exit();
