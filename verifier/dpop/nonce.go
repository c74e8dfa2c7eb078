package dpop

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// minSecret is the minimum length of a nonce secret, in bytes.
const minSecret = 32

// nonces makes and checks nonces without state (RFC 9449 §8): a nonce is an HMAC of the
// time slot in which it was given, and holds in that slot and in the next.
type nonces struct {
	secrets [][]byte // the first makes new ones
	slot    time.Duration
	current atomic.Pointer[slotNonces]
}

// slotNonces are those of one slot.
type slotNonces struct {
	slot   int64
	given  string   // in this slot
	valid  []string // given in this slot, by each secret
	before []string // given in the slot before
}

func newNonces(secrets [][]byte, lifetime time.Duration) (*nonces, error) {
	for i, s := range secrets {
		if len(s) < minSecret {
			return nil, fmt.Errorf("NonceSecrets[%d] has %d bytes; at least %d are needed", i, len(s), minSecret)
		}
	}
	n := &nonces{slot: lifetime / 2}
	for _, s := range secrets {
		n.secrets = append(n.secrets, append([]byte(nil), s...))
	}
	return n, nil
}

func (n *nonces) at(now time.Time) *slotNonces {
	slot := now.UnixNano() / int64(n.slot)
	if s := n.current.Load(); s != nil && s.slot == slot {
		return s
	}
	s := &slotNonces{slot: slot}
	for _, secret := range n.secrets {
		s.valid = append(s.valid, nonceOf(secret, n.slot, slot))
		s.before = append(s.before, nonceOf(secret, n.slot, slot-1))
	}
	s.given = s.valid[0]
	n.current.Store(s)
	return s
}

// nonceOf returns the nonce of a slot, in characters that NQCHAR has (RFC 9449 §8.1).
// The length of slots is in it, so that replicas of different settings do not mix them.
func nonceOf(secret []byte, length time.Duration, slot int64) string {
	m := hmac.New(sha256.New, secret)
	var text [16]byte
	binary.BigEndian.PutUint64(text[:], uint64(length))
	binary.BigEndian.PutUint64(text[8:], uint64(slot))
	m.Write([]byte("jwtguard DPoP nonce"))
	m.Write(text[:])
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:18])
}

var errNonce = errors.New("the proof has no nonce, or one that has expired or was not made with one of NonceSecrets")

// check returns when a nonce expires, and a new nonce if it is time for one.
func (n *nonces) check(nonce string, now time.Time) (until time.Time, next string, err error) {
	s := n.at(now)
	end := func(slot int64) time.Time { return time.Unix(0, (slot+1)*int64(n.slot)) }
	for i := range n.secrets {
		if hmac.Equal([]byte(nonce), []byte(s.valid[i])) {
			return end(s.slot + 1), "", nil
		}
		if hmac.Equal([]byte(nonce), []byte(s.before[i])) {
			return end(s.slot), s.given, nil
		}
	}
	return time.Time{}, "", errNonce
}
