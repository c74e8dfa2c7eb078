// A client of npm @grpc/grpc-js: a line of JSON on stdin is a call, a line "answer JSON"
// on stdout its result.
//
// A call is {target, ca, key, cert, method, streaming, metadata, messages}: ca is a
// certificate, or empty for no TLS; key and cert are the client's, if it has them; metadata
// has a list of values for each name; a message is a string, as a
// google.protobuf.StringValue. The result is {messages, code, text, details, header}, of
// which details is the google.rpc.Status in base64. It ends with its stdin.
import { createInterface } from 'node:readline';
import grpc from '@grpc/grpc-js';

// A StringValue of less than 128 bytes is a tag, a length and the text.
const serialize = (text) => {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x0a, bytes.length]), bytes]);
};
const deserialize = (buffer) => buffer.subarray(2).toString();

function call({ target, ca, key, cert, method, streaming, metadata, messages }) {
  const bytes = (text) => text && Buffer.from(text);
  const credentials = ca
    ? grpc.credentials.createSsl(bytes(ca), bytes(key), bytes(cert))
    : grpc.credentials.createInsecure();
  const client = new grpc.Client(target, credentials, { 'grpc.ssl_target_name_override': 'example.com' });
  const md = new grpc.Metadata();
  for (const [name, values] of Object.entries(metadata)) {
    for (const value of values) md.add(name, value);
  }
  const deadline = Date.now() + 10_000;
  return new Promise((resolve) => {
    const answer = { messages: [], header: {} };
    const end = (status) => {
      client.close();
      const [details] = status.metadata.get('grpc-status-details-bin');
      resolve({ ...answer, code: status.code, text: status.details, details: details?.toString('base64') });
    };
    const stream = streaming
      ? client.makeBidiStreamRequest(method, serialize, deserialize, md, { deadline })
      : client.makeUnaryRequest(method, serialize, deserialize, messages[0], md, { deadline }, (error, text) => {
        if (!error) answer.messages.push(text);
      });
    stream.on('metadata', (header) => { answer.header = header.getMap(); });
    stream.on('status', end);
    if (streaming) {
      stream.on('data', (text) => answer.messages.push(text));
      stream.on('error', () => {}); // the status says the same
      for (const text of messages) stream.write(text);
      stream.end();
    }
  });
}

console.log('ready');
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  console.log(`answer ${JSON.stringify(await call(JSON.parse(line)))}`);
}
process.exit();
