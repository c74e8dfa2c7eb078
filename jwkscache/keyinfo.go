package jwkscache

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A KeyInfo describes one usable key of a set, for status pages.
type KeyInfo struct {
	KeyID      string    // the first 200 bytes of its kid, "" if there is none
	Type       string    // and size or curve: "RSA 2048", "EC P-256", "Ed25519"
	Algorithms []string  // the alg values of tokens that it may verify
	Use        string    // as published (RFC 7517 §4.2), "" if it says nothing
	FirstSeen  time.Time // the first of the good fetches that all brought it under this kid, by this machine's clock
}

// withHistory returns the set to serve after old, which is nil at first: old's own if that is
// equal, and otherwise s with its infos. A key that old has too was first seen then.
func (s *keySet) withHistory(old *snapshot, now time.Time) *keySet {
	if old != nil && old.keys.equal(s) {
		return old.keys
	}
	s.infos = make([]KeyInfo, 0, len(s.keys))
	for _, k := range s.keys {
		info := KeyInfo{KeyID: cut(k.kid), Type: typeOf(k.public), Algorithms: k.algs, Use: k.use, FirstSeen: now}
		if old != nil {
			if i := slices.IndexFunc(old.keys.keys, k.isSameKey); i >= 0 {
				info.FirstSeen = old.keys.infos[i].FirstSeen
			}
		}
		s.infos = append(s.infos, info)
	}
	return s
}

// isSameKey reports whether u is the same key under the same kid, whatever else is
// published about it.
func (k key) isSameKey(u key) bool { return k.kid == u.kid && jose.Equal(k.public, u.public) }

func typeOf(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "EC " + k.Curve.Params().Name
	}
	return "Ed25519" // the only other type of a usable key
}
