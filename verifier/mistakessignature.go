package verifier

import (
	"errors"
	"fmt"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

func (e *explanation) signatureMistake(err *Error) Mistake {
	h, size := &e.work.jws.Header, len(e.work.jws.Signature)
	switch {
	case err.Err == errNoRoom:
		return Mistake{"tenants_full", "As many tenants as MaxTenants are in use, so this one's keys are not fetched now. Raise Settings.MaxTenants."}
	case err.Reason == ErrUnavailable:
		return Mistake{"keys_unavailable", "There are no keys of the issuer to check the signature with: see the cause. Can this machine reach the issuer?"}
	case e.isCut(size):
		return Mistake{"truncated", fmt.Sprintf("The signature has %d bytes, too few for %s: the end of the token is missing.", size, h.Alg)}
	case isDER(e.algorithm, e.work.jws.Signature):
		return Mistake{"signature_der", "The signature is in DER, but a JWS has r and s one after the other (RFC 7518 section 3.4). Whoever signs must mend that."}
	case !e.policy.takesPublicKeys():
		return Mistake{"secret_wrong", "None of the SharedSecrets made this signature. Is the secret that of this issuer, and decoded if it was given in base64?"}
	case errors.Is(err.Err, errNoKey):
		return e.keyMistake(h)
	}
	return Mistake{"signature_wrong", "The signature fits none of the issuer's keys with that name: the token was changed, or signed by another server that uses the same name for its key."}
}

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
			return Mistake{"key_for_encryption", "The issuer publishes the key with " + keyName(&q) + " for encryption alone (use enc), so it verifies nothing. The issuer must publish its signing key."}
		default:
			return Mistake{"key_unusable", "The issuer publishes the key with " + keyName(&q) + ", but it cannot be used: " + quote(w.Text) + "."}
		}
	}
	text := fmt.Sprintf("The issuer has no key with %s for %s", keyName(&q), h.Alg)
	if held := e.keysHeld(); held != "" {
		text += ": " + held
	}
	text += "."
	switch {
	case k.LastError != nil:
		text += " The last attempt to fetch them failed: " + quote(k.LastError.Error()) + "."
	case k.Fetches > 0:
		text += " The issuer can be reached."
	}
	return Mistake{"key_unknown", text + " Another server signed the token, or the key was withdrawn."}
}
