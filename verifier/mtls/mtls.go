package mtls

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A Config says where the client's certificate is. The zero value means the TLS
// connection of the request.
type Config struct {
	// Source is where the certificate is: on the connection, or in a header field
	// that a proxy sets. With a header field, the connection is the proxy's own, and
	// its certificate means nothing. A token that is bound to a certificate is then
	// refused if the field is missing; and any token, bound or not, is refused if the
	// field is sent from an address that is not in Trusted.
	Source Source

	// Trusted are the addresses of the proxies that set the field of Source. They
	// must remove it from the requests of their clients. The address is that of the
	// connection, r.RemoteAddr: middleware that replaces it with the value of a header
	// field must run inside Protect. Required unless Source is Connection.
	Trusted []netip.Prefix
}

// A Source is where the client's certificate is.
type Source int

const (
	// Connection is the TLS connection: clients connect to this server, and no proxy
	// ends TLS before it.
	Connection Source = iota

	// ClientCert is the header field Client-Cert (RFC 9440).
	ClientCert

	// EnvoyXFCC is Envoy's header field X-Forwarded-Client-Cert, of which Hash is
	// read. Of several elements, the last one counts, because the proxy that connects
	// to this server has added it.
	//
	// Envoy does not escape the names in a certificate that it adds as URI and DNS. A
	// client that makes its own certificate can write an element with the hash of
	// another into such a name. Unless every certificate is issued by a CA that
	// checks names, set neither uri nor dns in set_current_client_cert_details.
	EnvoyXFCC

	// NginxEscaped is the header field X-Client-Cert with the value of nginx's
	// variable $ssl_client_escaped_cert: the certificate in percent-encoded PEM.
	NginxEscaped
)

var fields = map[Source]string{
	ClientCert:   "Client-Cert",
	EnvoyXFCC:    "X-Forwarded-Client-Cert",
	NginxEscaped: "X-Client-Cert",
}

// New returns the Binding for verifier.Settings.Bindings, or an error that names the wrong
// setting. Several Verifiers can use one Binding.
func New(cfg Config) (verifier.Binding, error) {
	b := &binding{source: cfg.Source, field: fields[cfg.Source]}
	var err error
	if b.trusted, err = peer.NewSet(cfg.Trusted); err != nil {
		return verifier.Binding{}, fmt.Errorf("mtls: in Trusted: %w", err)
	}
	switch {
	case cfg.Source != Connection && b.field == "":
		err = errors.New("an unknown Source")
	case cfg.Source != Connection && len(cfg.Trusted) == 0:
		err = fmt.Errorf("no Trusted, which a Source other than Connection needs: without it, anybody could send the field %s", b.field)
	case cfg.Source == Connection && len(cfg.Trusted) > 0:
		err = errors.New("there is Trusted, but no Source: the certificate of a Connection needs no trusted proxy")
	}
	if err != nil {
		return verifier.Binding{}, fmt.Errorf("mtls: %w", err)
	}
	return verifier.Binding{Member: "x5t#S256", Confirm: b.confirm, Check: b.check}, nil
}

type binding struct {
	source  Source
	field   string // "" for Connection
	trusted peer.Set
}

// The causes of refusals, for operators.
var (
	errNoCertificate = errors.New("the client sent no certificate on its TLS connection, or the server did not ask for one (tls.Config.ClientAuth)")
	errNoField       = errors.New("there is no header field with the client's certificate")
	errStranger      = errors.New("the header field with the client's certificate is from an address that is not in Trusted")
	errForm          = errors.New("the header field with the client's certificate is not in the form of Source")
	errOther         = errors.New("the token is bound to another certificate than the one that the client sent")
)

// maxField is the maximum length of the field, in bytes.
const maxField = 32 << 10

// confirm compares the hash of the client's certificate (RFC 8705 §3). It also checks
// where the field is from, for who calls it without check.
func (b *binding) confirm(r *http.Request, _ *verifier.Token, thumbprint string) (c verifier.Confirmation, err error) {
	if err := b.check(r); err != nil {
		return c, err
	}
	sum, err := b.hash(r)
	if err != nil {
		return c, err
	}
	if base64.RawURLEncoding.EncodeToString(sum) != thumbprint {
		return c, errOther
	}
	return c, nil
}

// check refuses the field from anybody else than the proxy, whatever the token is: a
// proxy that is passed by, or is not configured as trusted, would not show otherwise.
func (b *binding) check(r *http.Request) error {
	if b.field != "" && len(r.Header[b.field]) > 0 && !b.trusted.Has(r.RemoteAddr) {
		return errStranger
	}
	return nil
}

// hash returns the SHA-256 of the client's certificate in DER.
func (b *binding) hash(r *http.Request) ([]byte, error) {
	if b.source == Connection {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			return nil, errNoCertificate
		}
		sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
		return sum[:], nil
	}
	values := r.Header[b.field]
	if len(values) == 0 {
		return nil, errNoField
	}
	if b.source == EnvoyXFCC {
		return hashOfXFCC(values[len(values)-1])
	}
	if len(values) > 1 || len(values[0]) > maxField {
		return nil, errForm
	}
	der, err := b.certificate(values[0])
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return sum[:], nil
}

// certificate returns the DER of a field that has the whole certificate.
func (b *binding) certificate(value string) ([]byte, error) {
	if b.source == ClientCert { // a byte sequence (RFC 8941 §3.3.5)
		inner, ok := strings.CutPrefix(value, ":")
		inner, closed := strings.CutSuffix(inner, ":")
		der, err := base64.StdEncoding.DecodeString(inner)
		if !ok || !closed || err != nil || len(der) == 0 {
			return nil, errForm
		}
		return der, nil
	}
	text, err := url.PathUnescape(value)
	if err != nil {
		return nil, errForm
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" || strings.TrimSpace(string(rest)) != "" {
		return nil, errForm
	}
	return block.Bytes, nil
}

// hashOfXFCC returns the Hash of the last element of Envoy's field. Its elements are
// separated by commas and their members by semicolons, except within quotation marks, in
// which a backslash escapes.
func hashOfXFCC(value string) ([]byte, error) {
	if len(value) > maxField {
		return nil, errForm
	}
	var members []string // of the last element
	start, quoted := 0, false
	for i := 0; i < len(value); i++ {
		switch c := value[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ',':
			members, start = nil, i+1
		case !quoted && c == ';':
			members, start = append(members, value[start:i]), i+1
		}
	}
	if quoted {
		return nil, errForm
	}
	members = append(members, value[start:])
	var sum []byte
	for _, m := range members {
		name, text, _ := strings.Cut(strings.TrimSpace(m), "=")
		if !strings.EqualFold(name, "Hash") {
			continue
		}
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != sha256.Size || sum != nil {
			return nil, errForm
		}
		sum = b
	}
	if sum == nil {
		return nil, errForm
	}
	return sum, nil
}
