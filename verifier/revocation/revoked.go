package revocation

import (
	"context"
	"hash/maphash"
	"math/bits"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Revoked implements [verifier.Revocation]. It takes no lock and does not allocate. It
// returns an error if t was not returned by a Verifier, and, after the clock was set back,
// for a token that had expired before that and may have been revoked.
func (l *List) Revoked(_ context.Context, t *verifier.Token) (bool, error) {
	switch {
	case t == nil || t.Issuer() == "":
		return false, errNoToken
	case t.Expiry().UnixMilli() <= l.forgotten.Load():
		return false, errSetBack
	}
	present := l.present.Load()
	if present == 0 {
		return false, nil
	}
	table, issuer := l.table.Load(), l.hash(t.Issuer())
	if present&(1<<byTokenID) != 0 && l.finds(t, table, byTokenID, sum(byTokenID, issuer, l.hash(t.ID()), 0)) {
		return true, nil
	}
	if present&(1<<byIssuer) != 0 && l.finds(t, table, byIssuer, sum(byIssuer, issuer, 0, 0)) {
		return true, nil
	}
	if present&(1<<bySubject|1<<byClient|1<<bySubjectAndClient) == 0 {
		return false, nil
	}
	subject, client := l.hash(t.Subject()), l.hash(t.ClientID())
	return present&(1<<bySubject) != 0 && l.finds(t, table, bySubject, sum(bySubject, issuer, subject, 0)) ||
		present&(1<<byClient) != 0 && l.finds(t, table, byClient, sum(byClient, issuer, client, 0)) ||
		present&(1<<bySubjectAndClient) != 0 && l.finds(t, table, bySubjectAndClient, sum(bySubjectAndClient, issuer, subject, client)), nil
}

// finds reports whether a record of this kind and sum revokes t.
func (l *List) finds(t *verifier.Token, table *table, k kind, sum uint64) bool {
	for _, r := range table.bucket(sum) {
		if r.sum == sum && r.matches(t, k) {
			// Without iat, IssuedAt is in the year 1, before any record.
			return t.IssuedAt().UnixMilli() < r.issuedBefore.Load()+l.skew && !r.hasEnded(l.now())
		}
	}
	return false
}

// The hashes are seeded, so that nobody can choose members whose records share a bucket.
func (l *List) hash(s string) uint64 { return maphash.String(l.seed, s) }

// sum combines the hashes of a key's strings.
func sum(k kind, issuer, a, b uint64) uint64 {
	mix := func(x, y uint64) uint64 {
		hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, y^0xd1b54a32d192ed03)
		return hi ^ lo
	}
	return mix(mix(issuer+uint64(k), a), b)
}

// sumOf returns the sum of a record with the key k.
func (l *List) sumOf(k *key) uint64 {
	var a, b uint64
	if k.kind != byIssuer {
		a = l.hash(k.a)
	}
	if k.kind == bySubjectAndClient {
		b = l.hash(k.b)
	}
	return sum(k.kind, l.hash(k.issuer.Value()), a, b)
}
