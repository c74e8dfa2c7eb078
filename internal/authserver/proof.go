package authserver

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// proofAlgorithms are those of DPoP proofs.
var proofAlgorithms = []string{"ES256", "ES384", "ES512", "EdDSA", "RS256", "PS256"}

// maxProofAge is how far the iat of a proof may be from now.
const maxProofAge = time.Minute

// checkProof checks the proof of a token request (RFC 9449 §5) and returns the
// thumbprint of its key. It gives no nonces and remembers no proof: whoever repeats one
// gets a token that is bound to the same key.
func (s *Server) checkProof(proofs []string) (thumbprint string, err error) {
	if len(proofs) != 1 {
		return "", errors.New("there are several")
	}
	message, err := jws.Parse([]byte(proofs[0]), jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return "", errors.New("it is not a compact JWS")
	}
	header := message.Signatures()[0].ProtectedHeaders()
	key := header.JWK()
	switch {
	case !strings.EqualFold(strings.TrimPrefix(header.Type(), "application/"), "dpop+jwt"):
		return "", errors.New("typ is not dpop+jwt")
	case !slices.Contains(proofAlgorithms, header.Algorithm().String()):
		return "", errors.New("alg is not one of the metadata's")
	case key == nil:
		return "", errors.New("there is no jwk")
	}
	if private, err := jwk.IsPrivateKey(key); err != nil || private || key.KeyType() == jwa.OctetSeq {
		return "", errors.New("jwk is not a public key")
	}
	payload, err := jws.Verify([]byte(proofs[0]), jws.WithKey(header.Algorithm(), key))
	if err != nil {
		return "", errors.New("the signature is not by jwk")
	}
	var claims struct {
		ID       string  `json:"jti"`
		Method   string  `json:"htm"`
		URI      string  `json:"htu"`
		IssuedAt float64 `json:"iat"`
	}
	if json.Unmarshal(payload, &claims) != nil || claims.ID == "" {
		return "", errors.New("jti, htm, htu or iat is missing or of the wrong kind")
	}
	own := strings.TrimSuffix(s.issuer, "/") + "/oauth/token"
	if uri, _, _ := strings.Cut(claims.URI, "?"); claims.Method != "POST" || uri != own {
		return "", fmt.Errorf("htm and htu are not POST and %s", own)
	}
	if age := time.Since(time.Unix(int64(claims.IssuedAt), 0)); age.Abs() > maxProofAge {
		return "", errors.New("iat is over a minute from the time here")
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}
