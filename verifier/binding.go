package verifier

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// extensions are optional parts of a Verifier.
type extensions struct {
	bindings   []Binding
	revocation Revocation // nil: tokens are not revoked
}

// A Binding confirms that the sender of a request possesses the key that its token is
// bound to by a member of cnf (RFC 7800 §3.1). Package verifier/dpop makes one for jkt
// (RFC 9449), and package verifier/mtls one for x5t#S256 (RFC 8705). Its fields matter
// only to who writes one for another member.
type Binding struct {
	// Member is the name of the member of cnf, such as jkt.
	Member string

	// Scheme is the authentication scheme with which bound tokens are sent, such as
	// DPoP. Empty means Bearer.
	Scheme string

	// Algorithms are the values of algs in challenges with Scheme (RFC 9449 §7.1). Nil
	// means that the challenge has no algs.
	Algorithms []string

	// Confirm checks that the sender of the request possesses the key that t is bound
	// to; key is the value of the member, which is a string. It is called
	// concurrently, after t was verified and before rules are checked. An error that
	// wraps a reason of this package, such as ErrProof, refuses the request for that
	// reason; any other error refuses it for ErrBinding.
	Confirm func(r *http.Request, t *Token, key string) (Confirmation, error)

	// Check refuses requests with any token, bound or not: for example those with a
	// field that only a proxy may set. It is called concurrently, before Confirm, and
	// its errors mean the same. Nil means that there is nothing to check.
	Check func(r *http.Request) error

	// ChallengeHeader returns header fields for every response with a challenge, such
	// as one with a nonce, under their canonical names. It is called concurrently. Nil
	// means none.
	ChallengeHeader func() http.Header

	// Stats returns the figures of what Record fills, for [Verifier.Stats]. It is called
	// concurrently. Nil means that there are none.
	Stats func() ProofStats
}

// ProofStats are the figures of the proofs that were used, such as those of DPoP. Zero
// also means unknown.
type ProofStats struct {
	Proofs    int // records now, approximately
	MaxProofs int // the limit of Proofs
	Replays   int // proofs that were refused because they were used before
	Full      int // proofs that were refused because there was no room for another record

	Err error // why the last proof could not be recorded where it should be, or nil
}

// proofStats returns the figures of the first binding that has some.
func (x *extensions) proofStats() ProofStats {
	for _, b := range x.bindings {
		if b.Stats != nil {
			return b.Stats()
		}
	}
	return ProofStats{}
}

// A Confirmation is the result of [Binding.Confirm]. The zero value confirms the token,
// and has nothing to add.
type Confirmation struct {
	// Header has fields for the response to the admitted request, under their
	// canonical names, such as a new nonce.
	Header http.Header

	// Record is called once every other check has passed. It records that the proof
	// is used, and returns an error if it was used before. The error refuses the
	// request, as one of Confirm does. Nil means that there is nothing to record.
	Record func(context.Context) error

	// Proof identifies the proof that Record records: a comparable value, the same
	// for each Guard that checks this request. If an outer Guard has already recorded
	// it, Record is not called again, so that the request is no replay of itself.
	Proof any
}

func checkBindings(all []Binding) error {
	for i, b := range all {
		switch {
		case b.Member == "" || b.Confirm == nil:
			return fmt.Errorf("in Bindings[%d]: it is empty, or without Member or Confirm: use what New of package dpop or mtls returns", i)
		case slices.ContainsFunc(all[:i], func(other Binding) bool { return other.Member == b.Member }):
			return fmt.Errorf("two Bindings have the Member %q", b.Member)
		case !isToken(b.Scheme) || cutsAsBearer(b.Scheme):
			return fmt.Errorf("in Bindings[%d]: the Scheme is %s, which is not a scheme of RFC 9110 section 11.1, or is Bearer: leave that empty", i, quote(b.Scheme))
		case slices.ContainsFunc(b.Algorithms, func(a string) bool { return !isToken(a) || a == "" }):
			return fmt.Errorf("in Bindings[%d]: it has Algorithms with characters that no algorithm's name has, or an empty one", i)
		}
	}
	return nil
}

// isToken reports whether s is a token (RFC 9110 §5.6.2) or empty.
func isToken(s string) bool {
	for i := range len(s) {
		if !isTchar(s[i]) {
			return false
		}
	}
	return true
}

func cutsAsBearer(scheme string) bool {
	_, found := cutScheme(scheme, "Bearer")
	return found
}

// cutBindingScheme calls cutScheme with the scheme of each binding.
func (a *api) cutBindingScheme(field string) (string, *Binding, bool) {
	for i := range a.bindings {
		b := &a.bindings[i]
		if b.Scheme == "" {
			continue
		}
		if raw, found := cutScheme(field, b.Scheme); found {
			return raw, b, true
		}
	}
	return "", nil, false
}

// checkRequest refuses what a binding refuses whatever the token is.
func (a *api) checkRequest(r *http.Request, t *Token) *Error {
	for i := range a.bindings {
		check := a.bindings[i].Check
		if check == nil || r == nil {
			continue
		}
		if err := check(r); err != nil {
			return t.refused(asRefusal(err, ErrBinding))
		}
	}
	return nil
}

var boundToken = refusal(ErrBinding, "the token has cnf")

// standardMembers of cnf are never ignored beside others (RFC 9449 §6.1, RFC 8705 §3.1).
var standardMembers = []string{"jkt", "x5t#S256"}

// isBoundBeyond reports whether t is bound by a standard member that no binding confirms.
func (a *api) isBoundBeyond(t *Token) bool {
	return slices.ContainsFunc(standardMembers, func(name string) bool {
		return t.members().At(jose.Path{"cnf", name}) != "" &&
			!slices.ContainsFunc(a.bindings, func(b Binding) bool { return b.Member == name })
	})
}

// confirm checks the request of t by each binding, and confirms t if it is bound, or was
// sent with a binding's scheme.
func (a *api) confirm(r *http.Request, scheme *Binding, t *Token) (*possession, *Error) {
	if err := a.checkRequest(r, t); err != nil || !t.bound && scheme == nil {
		return nil, err
	}
	confirmed, err := a.confirmBinding(r, scheme, t)
	if err != nil {
		return nil, err
	}
	return &possession{schemeOf(scheme), confirmed}, nil
}

// confirmBinding checks a token that has cnf, or that was sent with a binding's scheme.
// At least one member of cnf must have a binding, and so must every standard one; every
// binding whose member is there must confirm it, and the scheme must be the one that
// these bindings require.
func (a *api) confirmBinding(r *http.Request, scheme *Binding, t *Token) (all []Confirmation, _ *Error) {
	switch {
	case !t.bound:
		return nil, t.refused(refusal(ErrBinding, "the token is not bound, but was sent with the scheme %s", scheme.Scheme))
	case r == nil:
		return nil, boundToken
	}
	required, sent := "Bearer", "Bearer"
	if scheme != nil {
		sent = scheme.Scheme
	}
	found := false
	for i := range a.bindings {
		b := &a.bindings[i]
		if t.members().At(jose.Path{"cnf", b.Member}) != "" {
			found = true
			if b.Scheme != "" {
				required = b.Scheme
			}
		}
	}
	if a.isBoundBeyond(t) {
		return nil, t.refused(refusal(ErrBinding, "cnf has jkt or x5t#S256, which no binding of this API confirms: see Settings.Bindings"))
	}
	if !found {
		return nil, t.refused(refusal(ErrBinding, "cnf has no member that one of Settings.Bindings confirms"))
	}
	if sent != required {
		return nil, t.refused(refusal(ErrBinding, "the token was sent with the scheme %s; by its cnf it needs %s", sent, required))
	}
	for i := range a.bindings {
		b := &a.bindings[i]
		value := t.members().At(jose.Path{"cnf", b.Member})
		if value == "" {
			continue
		}
		key, err := jose.StringValue(value)
		if err != nil || key == "" {
			return nil, t.refused(refusal(ErrBinding, "the member %s of cnf is not a string", b.Member))
		}
		c, err := b.Confirm(r, t, key)
		if err != nil {
			return nil, t.refused(asRefusal(err, ErrBinding))
		}
		all = append(all, c)
	}
	return all, nil
}

// record marks the proofs of t as used, except those with which an outer Guard has
// admitted the request.
func record(ctx context.Context, t *Token, all []Confirmation) *Error {
	for _, c := range all {
		if c.Record == nil || c.Proof != nil && wasRecorded(ctx, c.Proof) {
			continue
		}
		if err := c.Record(ctx); err != nil {
			return t.refused(asRefusal(err, ErrBinding))
		}
	}
	return nil
}

// wasRecorded reports whether a Guard has admitted the request of ctx with proof.
func wasRecorded(ctx context.Context, proof any) bool {
	for {
		var a *admission
		switch found := ctx.Value(contextKey{}).(type) {
		case *admission:
			a, ctx = found, found.Context
		case *hidden:
			if a = found.outer; a == nil {
				ctx = found.Context
				continue
			}
			ctx = a.Context
		default:
			if a = admissionOf(ctx); a == nil {
				return false
			}
			ctx = a.Context
		}
		for _, c := range a.proof.all() {
			if c.Proof == proof {
				return true
			}
		}
	}
}
