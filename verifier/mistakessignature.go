package verifier

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

func (e *explanation) signatureMistake(err *Error) Mistake {
	h, size := &e.work.jws.Header, len(e.work.jws.Signature)
	switch {
	case err.Err == errNoRoom:
		return Mistake{"tenants_full", "As many tenants as Settings.MaxTenants are in use, so the keys of this one are not fetched now. Raise MaxTenants."}
	case err.Reason == ErrUnavailable && e.report.Keys.State == "" && isFarHTTP(e.policy.issuer):
		return Mistake{"issuer_http", fmt.Sprintf("Config.Issuer is %q. Keys are fetched over https, and over http only from this machine or with JWKS.AllowHTTP. The issuer should be https.", e.policy.issuer)}
	case err.Reason == ErrUnavailable:
		return Mistake{"keys_unavailable", "There are no keys of the issuer to check the signature with: see the cause."}
	case e.isCut(size):
		return Mistake{"truncated", fmt.Sprintf("The signature has %d bytes, too few for %s: the end of the token is missing.", size, h.Alg)}
	case isDER(e.algorithm, e.work.jws.Signature):
		return Mistake{"signature_der", "The signature is in DER, but a JWS has R and S one after the other (RFC 7518 section 3.4). The issuer must fix that."}
	case !e.policy.takesPublicKeys():
		return Mistake{"secret_wrong", "None of the SharedSecrets verifies the signature. Is it the secret of this issuer, and decoded if it was given in base64?"}
	case errors.Is(err.Err, errNoKey):
		return e.keyMistake(h)
	case errors.Is(err.Err, jose.ErrManyKeys):
		return Mistake{"keys_ambiguous", fmt.Sprintf("The issuer has more keys that can be meant than the %d that are tried. The issuer must name the key in the header (kid), and publish its keys with different kids.", jose.MaxCandidates)}
	}
	return Mistake{"signature_wrong", "No key of the issuer that the token can mean verifies the signature: the token was changed, or another server signed it, perhaps with a key of the same name."}
}

// isFarHTTP reports whether s is an http URL of another machine.
func isFarHTTP(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "http" && !isLocal(u.Hostname())
}

// namesKey reports whether a token says which key it was signed with.
func namesKey(h *jose.Header) bool { return h.Kid != "" || h.X5T != "" || h.X5TS256 != "" }

// isCut reports whether a signature is too short for its algorithm.
func (e *explanation) isCut(size int) bool {
	switch a := e.algorithm; {
	case a.MinSecret > 0: // as long as its digest, which is as long as the secret at least
		return size < a.MinSecret
	case a.KeyType == "RSA": // as long as the modulus, which has a multiple of 256 bits in use
		return size < 256 || size%32 != 0
	default:
		return size < 2*a.KeySize
	}
}

// isDER reports whether an ECDSA signature is an ASN.1 SEQUENCE.
func isDER(a *jose.Algorithm, signature []byte) bool {
	return a.KeyType == "EC" && len(signature) > 2*a.KeySize && signature[0] == 0x30
}

// keyMistake says why the issuer has no key for a token.
func (e *explanation) keyMistake(h *jose.Header) Mistake {
	q, k := queryOf(h, e.now), e.report.Keys
	for _, w := range k.KeyWarnings {
		switch {
		case w.Used || w.KeyID != h.Kid[:min(len(h.Kid), maxQuoted)] || h.Kid == "":
		case w.Encryption:
			return Mistake{"key_for_encryption", "The issuer publishes the key with " + keyName(&q) + " for encryption only (use enc). The issuer must publish its signing key."}
		default:
			return Mistake{"key_unusable", "The issuer publishes the key with " + keyName(&q) + ", but it cannot be used: " + quote(w.Text) + "."}
		}
	}
	text := fmt.Sprintf("The issuer has no key with %s for %s", keyName(&q), h.Alg)
	if !namesKey(h) {
		text = "The token does not name its key (kid), and no key of the issuer was found for " + h.Alg
	}
	if held := e.keysHeld(); held != "" {
		text += ": " + held
	}
	text += "."
	switch {
	case k.LastError != nil:
		text += " The last attempt to fetch them failed: " + quote(k.LastError.Error()) + "."
	case k.Fetches > 0:
		text += " The last attempt to fetch them succeeded."
	}
	return Mistake{"key_unknown", text + " Another server signed the token, the key was withdrawn, or the key is for another algorithm."}
}
