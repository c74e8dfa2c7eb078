package dpop

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A Config says how proofs are checked. Only Origins is required.
type Config struct {
	// Origins are the addresses of this API as its clients know them: scheme, host
	// and, unless it is the default, port ("https://api.example.com"). If a proxy
	// removes a prefix from the path, the address includes it
	// ("https://example.com/api"). The htu of a proof must be one of them, followed by
	// the path of the request.
	//
	// With one, no header field is read. With several, the Host of the request
	// chooses among them. They must be configured, because the sender of a request
	// chooses its Host: another API that receives a token and a proof could send both
	// to this one.
	Origins []string

	// Trusted are the addresses of the proxies whose header fields choose among
	// several Origins in place of Host: Forwarded (RFC 7239), or X-Forwarded-Host,
	// -Proto, -Port and -Prefix. From other addresses these fields are ignored. The
	// address is that of the connection, r.RemoteAddr: middleware that replaces it
	// with the value of a header field must run inside Protect.
	Trusted []netip.Prefix

	// Algorithms are those accepted for proofs. Nil means ES256, ES384, ES512, EdDSA,
	// Ed25519, RS256, RS384, RS512, PS256, PS384 and PS512.
	Algorithms []string

	// Window is how old a proof may be. Zero means 60 seconds; otherwise it is from 1
	// second to 5 minutes. It is not used with NonceSecrets.
	Window time.Duration

	// Skew is by how much the clock of a client may differ: a proof is accepted from
	// Skew before its iat until Window + Skew after it. Zero means 5 seconds, and a
	// negative value none. It is at most 5 minutes, and not used with NonceSecrets.
	Skew time.Duration

	// NonceSecrets are the keys with which nonces are made (RFC 9449 §9), each of at
	// least 32 random bytes. With them, every proof must have a nonce of this API, so
	// that it cannot be made long in advance; iat is then not compared, so that the
	// clock of a client may be wrong. Nil means that no nonce is required.
	//
	// Replicas have the same secrets. The first makes nonces, and those of all are
	// accepted. To replace a secret, append the new one on all replicas; then make it
	// the first; after NonceLifetime, remove the old one.
	NonceSecrets [][]byte

	// NonceLifetime is the longest time for which a nonce is accepted; the shortest is
	// half of it. Zero means 5 minutes; otherwise it is from 2 seconds to 1 hour.
	NonceLifetime time.Duration

	// Replays records the proofs that were used. Nil means NewMemory(0). Replicas that
	// do not share a ReplayStore accept a proof once each.
	Replays ReplayStore
}

const (
	defaultWindow        = time.Minute
	defaultSkew          = 5 * time.Second
	maxWindow            = 5 * time.Minute
	defaultNonceLifetime = 5 * time.Minute
	maxNonceLifetime     = time.Hour
)

// A binding is the checked Config.
type binding struct {
	origins      origins
	algorithms   map[string]*jose.Algorithm
	window, skew time.Duration
	nonces       *nonces // nil if none is demanded
	replays      ReplayStore
}

// New returns the Binding for verifier.Settings.Bindings, or an error that names the wrong
// setting. It starts no goroutine. Several Verifiers can use one Binding; they then accept
// a proof once among them.
func New(cfg Config) (verifier.Binding, error) {
	b, names, err := newBinding(cfg)
	if err != nil {
		return verifier.Binding{}, fmt.Errorf("dpop: %w", err)
	}
	result := verifier.Binding{Member: "jkt", Scheme: "DPoP", Algorithms: names, Confirm: b.confirm, Stats: b.replays.Stats}
	if b.nonces != nil {
		result.ChallengeHeader = func() http.Header { return nonceFields(b.nonces.at(time.Now()).given) }
	}
	return result, nil
}

func newBinding(cfg Config) (b *binding, names []string, err error) {
	b = &binding{window: cfg.Window, skew: cfg.Skew, replays: cfg.Replays}
	if b.origins, err = newOrigins(cfg.Origins, cfg.Trusted); err != nil {
		return nil, nil, err
	}
	if b.window == 0 {
		b.window = defaultWindow
	}
	if b.skew == 0 {
		b.skew = defaultSkew
	}
	b.skew = max(b.skew, 0)
	lifetime := cfg.NonceLifetime
	if lifetime == 0 {
		lifetime = defaultNonceLifetime
	}
	switch {
	case b.window < time.Second || b.window > maxWindow:
		return nil, nil, fmt.Errorf("a Window of %s; 1s to %s are accepted", b.window, maxWindow)
	case b.skew > maxWindow:
		return nil, nil, fmt.Errorf("a Skew of %s; at most %s is accepted", b.skew, maxWindow)
	case cfg.NonceSecrets == nil && cfg.NonceLifetime != 0:
		return nil, nil, errors.New("a NonceLifetime, but no NonceSecrets")
	case cfg.NonceSecrets != nil && len(cfg.NonceSecrets) == 0:
		return nil, nil, errors.New("an empty list in NonceSecrets; nil means that no nonce is required")
	case lifetime < 2*time.Second || lifetime > maxNonceLifetime:
		return nil, nil, fmt.Errorf("a NonceLifetime of %s; 2s to %s are accepted", lifetime, maxNonceLifetime)
	}
	if cfg.NonceSecrets != nil {
		if b.nonces, err = newNonces(cfg.NonceSecrets, lifetime); err != nil {
			return nil, nil, err
		}
	}
	if b.replays == nil {
		b.replays = NewMemory(0)
	}
	names, err = b.chooseAlgorithms(cfg.Algorithms)
	return b, names, err
}

// defaultAlgorithms begin with those that most clients use.
var defaultAlgorithms = []string{"ES256", "ES384", "ES512", "EdDSA", "Ed25519", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}

func (b *binding) chooseAlgorithms(names []string) (_ []string, err error) {
	if names == nil {
		names = defaultAlgorithms
	}
	b.algorithms, err = jose.PublicKeyAlgorithms(names)
	return slices.Clone(names), err
}

// confirm checks the proof of a request (RFC 9449 §4.3), whose token was verified before.
// The signature comes last: a stranger has no such token, and who has stolen one has not
// its key and costs a hash.
func (b *binding) confirm(r *http.Request, t *verifier.Token, jkt string) (c verifier.Confirmation, err error) {
	raw, err := field(r.Header)
	if err != nil {
		return c, refused(err)
	}
	w := workspaces.Get().(*workspace)
	defer w.free()
	p, err := b.read(raw, w)
	if err != nil {
		return c, refused(err)
	}
	if err := p.checkTarget(r, &b.origins); err != nil {
		return c, refused(err)
	}
	if p.ath != athOf(t.Raw()) {
		return c, refused(errHash)
	}
	if p.jwk.thumbprint() != jkt {
		return c, &verifier.Error{Reason: verifier.ErrBinding, Err: errKey}
	}
	now := time.Now()
	until, next, err := b.fresh(&p, now)
	if err != nil {
		return c, err
	}
	key, err := p.jwk.public(p.algorithm)
	if err != nil {
		return c, refused(err)
	}
	if !p.algorithm.Verify(key, p.compact.Signed, p.compact.Signature) {
		return c, refused(errSignature)
	}
	if next != "" {
		c.Header = nonceFields(next)
	}
	used := used{b: b, proof: proofHash(jkt, p.jti), client: sha256.Sum256([]byte(jkt))}
	c.Proof = used
	c.Record = func(ctx context.Context) error { return used.record(ctx, until) }
	return c, nil
}

var errKey = errors.New("the token is bound to another key than that of the proof")

// refused returns the refusal of a proof for a cause.
func refused(cause error) error { return &verifier.Error{Reason: verifier.ErrProof, Err: cause} }

// fresh returns until when the proof could be used, and a new nonce if it is time for
// one.
func (b *binding) fresh(p *proof, now time.Time) (until time.Time, nonce string, err error) {
	if b.nonces != nil {
		if until, nonce, err = b.nonces.check(p.nonce, now); err != nil {
			return until, "", &verifier.Error{Reason: verifier.ErrNonce, Err: err}
		}
		return until, nonce, nil
	}
	if err := p.checkTime(now, b.window, b.skew); err != nil {
		return until, "", refused(err)
	}
	return p.iat.Add(b.window + b.skew), "", nil
}

// used identifies a proof and its client. It is comparable.
type used struct {
	b             *binding
	proof, client [sha256.Size]byte
}

// proofHash identifies a proof: its jti is unique for its key only.
func proofHash(jkt, jti string) [sha256.Size]byte { return sha256.Sum256([]byte(jkt + "." + jti)) }

func (u *used) record(ctx context.Context, until time.Time) error {
	isNew, err := u.b.replays.Record(ctx, u.proof, u.client, until)
	switch {
	case err != nil:
		return &verifier.Error{Reason: verifier.ErrUnavailable, Err: err}
	case !isNew:
		return &verifier.Error{Reason: verifier.ErrReplay}
	}
	return nil
}

// nonceFields are the fields that give a nonce (RFC 9449 §8.1, §8.2), also to scripts in
// browsers.
func nonceFields(nonce string) http.Header {
	return http.Header{
		"Dpop-Nonce":                    {nonce},
		"Access-Control-Expose-Headers": {"DPoP-Nonce, WWW-Authenticate"},
	}
}
