// Package mtls confirms access tokens that are bound to a client certificate by mutual
// TLS (RFC 8705 §3). Whoever steals such a token cannot use it, because the TLS
// connection of each request proves that its client has the private key.
//
//	certificates, err := mtls.New(mtls.Config{})
//	if err != nil {
//		return err
//	}
//	v, err := verifier.Settings{Bindings: []verifier.Binding{certificates}}.New(cfg)
//
// Set tls.Config.ClientAuth to tls.RequestClientCert, so that the server asks its clients
// for a certificate. Who issued it is not checked, nor whether it has expired: the
// certificate is a key here, and never an identity. Who is calling is what the token says.
//
// Bound tokens are sent as Authorization: Bearer. One that is bound to another
// certificate, or sent without a certificate, gets 401 invalid_token. Tokens that are not
// bound are still accepted; the rule verifier.Bound refuses them, on a route or, in
// Config.Rules of package verifier, from an issuer.
//
// A proxy that ends the TLS connections of clients forwards the certificate in a header
// field: see [Source]. It must ask clients for one, and remove that field from their
// requests.
//
// docs/sender-constrained.md has when to use this and when DPoP, and how to configure
// proxies and authorization servers.
package mtls
