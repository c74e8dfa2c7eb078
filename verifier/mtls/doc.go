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
// The server asks for a certificate and need not know who issued it
// (tls.Config.ClientAuth is tls.RequestClientCert): the certificate is a key here, and
// never an identity. Who is calling is what the token says. The rule verifier.Bound
// refuses tokens that are not bound.
//
// A proxy that ends the TLS connections of clients forwards the certificate: see
// [Forwarded]. It must ask clients for one and remove the field from their requests.
//
// A token that is bound to another certificate, or sent without one, gets 401
// invalid_token.
package mtls
