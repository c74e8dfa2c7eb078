// Package e2e runs jwtguard against authorization servers that others wrote, as
// a module of its own whose dependencies reach nobody else.
//
//	npm ci --ignore-scripts --prefix node   # once; needs Node.js 20 or later
//	go test -race ./...
//
// Each server is started by the test that needs it, on a free loopback port:
//
//   - zitadel/oidc, in this process: tokens with the claims of RFC 9068, but typ
//     JWT and no scope (zitadel_test.go).
//   - oidc-provider, a Node.js process: tokens as RFC 9068 has them, also bound
//     to a DPoP key or a certificate, encrypted, or opaque (node/oidc-provider.mjs).
//   - oauth2-mock-server, a Node.js process: validly signed tokens with whatever
//     claims a test asks for (node/oauth2-mock-server.mjs).
//
// Clients that others wrote, npm oauth4webapi and npm dpop, bind tokens of oidc-provider
// to their keys and certificates and call APIs with them (dpop_test.go, mtls_test.go),
// also in gRPC and MCP.
//
// A gRPC client that others wrote, npm @grpc/grpc-js, calls methods behind grpcauth with
// the tokens of oidc-provider (grpc_test.go, node/grpc-js.mjs).
//
// A transmitter of security events that npm jose signs pushes to a receiver of verifier/ssf
// (ssf_test.go, node/transmitter.mjs).
//
// Packages of their own: published test vectors (vectors), a comparison with
// other libraries (differential), a second implementation of what a proof's address
// means (htu), a broken network (faults), load (soak), the programs of
// docs/migrate.md (migrate), and those of examples that meet a gateway (web).
//
// Every answer here is asked of four APIs, behind httpauth, echoauth, echov5auth and
// ginauth, which must agree.
package e2e
