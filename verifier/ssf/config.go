package ssf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// A Config says whose events are accepted and what becomes of them.
//
// Printed by fmt or log/slog, or marshaled, it shows only the issuers.
type Config struct {
	// Transmitters are those whose events are accepted, each with an Issuer of its own.
	// Required.
	Transmitters []Transmitter

	// Revoke revokes what the entries name: all of it, or nothing if it returns an error.
	// It is a method of the list that verifier.Settings.Revocation has. It is called
	// concurrently, with a ctx of at most 10 seconds, and with the same entries again
	// when a SET is pushed again. If it returns an error, the response is 503, and the
	// transmitter has to push again. Required.
	Revoke func(ctx context.Context, entries ...revocation.Entry) error

	// Authorization are the values of the Authorization field that a push may have, each
	// of at least 32 bytes, such as "Bearer " and 32 random bytes in hexadecimal. A
	// transmitter is told its value as authorization_header of the stream (SSF 1.0
	// §6.1.1). Several are for several transmitters, and for a rotation: add the new
	// one here, then tell it the transmitter, then remove the old one.
	Authorization []string

	// Authenticate reports who may push, for example whose client certificate r has; an
	// error is a response of authentication_failed, or access_denied if it wraps
	// [ErrAccessDenied]. It is called before the body is read. With Authorization, both
	// are required. One of the two must be set.
	Authenticate func(r *http.Request) error

	// Events are the types of the events that revoke tokens. Nil means [SessionRevoked],
	// [TokenClaimsChange], [CredentialChange], [AccountDisabled], [AccountPurged] and
	// [CredentialCompromise]. Others are accepted and have no effect.
	Events []string

	// MaxConcurrent is how many pushes are processed at a time; further ones get 503.
	// Zero means 32.
	MaxConcurrent int

	// Logger receives what was refused or not applied, at most one line per outcome and
	// minute, and each push at Debug. Nil means slog.Default().
	Logger *slog.Logger

	// Observe is called with each push, before the response. It is called concurrently.
	// If it panics, that has no effect.
	Observe func(Delivery)
}

// A Transmitter is a party whose security event tokens (SETs) are accepted.
type Transmitter struct {
	// Issuer is the only accepted iss of its SETs, compared byte for byte (SSF 1.0
	// §4.1.6). Required.
	Issuer string

	// Audiences are the names of this receiver, as the transmitter knows it: the aud of
	// the stream's configuration. The aud of a SET must contain one. Required.
	Audiences []string

	// Keys verify the signatures. Nil means a jwkscache.Cache that finds them through the
	// transmitter's metadata, and that [Receiver.Close] stops. A cache of
	// jwkscache.ForURL has the keys at an address that is known. Keys given here are
	// closed by whoever made them.
	Keys verifier.KeySource

	// JWKS configures that default cache; together with Keys it is an error. Without
	// JWKS.MetadataURL, the metadata is at /.well-known/ssf-configuration, inserted
	// between the host and the path of Issuer (SSF 1.0 §7.2.1). Keycloak below a path
	// has it at the end.
	JWKS jwkscache.Config

	// Algorithms are those accepted. Nil means RS256, RS384, RS512, PS256, PS384, PS512,
	// ES256, ES384, ES512, EdDSA and Ed25519.
	Algorithms []string

	// SubjectIssuer is the iss of the access tokens that the transmitter may revoke. Empty
	// means Issuer. Set it where access tokens have another issuer; their subjects must
	// then be those of the transmitter. The iss in a subject identifier must be one of
	// these two.
	SubjectIssuer string

	// IgnoredMembers are members of complex subjects, such as session or tenant, that do
	// not restrict what is revoked. By default, an event about one session of a user has
	// no effect, because an access token cannot be compared with it. With session here,
	// it revokes all tokens of that user that were issued before the event.
	IgnoredMembers []string
}

// defaultMaxConcurrent is more than the entries of one list can use, and bounds memory.
const defaultMaxConcurrent = 32

// minAuthorization is the length of "Bearer " and 25 characters: 128 bits in base64url.
const minAuthorization = 32

// New returns a Receiver, or an error that names the wrong setting. It does no network
// I/O: keys are fetched in the background, until [Receiver.Close]. If New returns an
// error, nothing is left running.
func New(cfg Config) (*Receiver, error) {
	r, err := newReceiver(&cfg)
	if err != nil {
		return nil, fmt.Errorf("ssf: %w", err)
	}
	return r, nil
}

func newReceiver(cfg *Config) (*Receiver, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	r := &Receiver{
		transmitters: make(map[string]*transmitter),
		authenticate: authenticator(slices.Clone(cfg.Authorization), cfg.Authenticate),
		revoke:       cfg.Revoke,
		events:       make(map[string]bool),
		record:       newRecorder(cfg.Logger, cfg.Observe),
	}
	slots := cfg.MaxConcurrent
	if slots == 0 {
		slots = defaultMaxConcurrent
	}
	r.slots = make(chan struct{}, slots)
	events := cfg.Events
	if events == nil {
		events = defaultEvents
	}
	for _, e := range events {
		r.events[e] = true
	}
	for i := range cfg.Transmitters {
		t, err := newTransmitter(&cfg.Transmitters[i])
		if err == nil && r.transmitters[t.issuer] != nil {
			err = errors.New("there is another Transmitter with this Issuer")
		}
		if err != nil {
			return nil, inTransmitter(cfg, i, err)
		}
		r.transmitters[t.issuer] = t
	}
	for i := range cfg.Transmitters { // last, since it starts goroutines
		t := r.transmitters[cfg.Transmitters[i].Issuer]
		if t.keys != nil {
			continue
		}
		cache, err := discoverKeys(&cfg.Transmitters[i], cfg.Logger)
		if err != nil {
			_ = r.Close()
			return nil, inTransmitter(cfg, i, err)
		}
		t.keys, r.caches = cache, append(r.caches, cache)
	}
	return r, nil
}

func (c *Config) check() error {
	switch {
	case len(c.Transmitters) == 0:
		return errors.New("no Transmitters are configured")
	case c.Revoke == nil:
		return errors.New("no Revoke is configured")
	case len(c.Authorization) == 0 && c.Authenticate == nil:
		return errors.New("neither Authorization nor Authenticate is configured, so anybody could push")
	case c.Events != nil && len(c.Events) == 0:
		return errors.New("an empty list in Events; nil means the default")
	case slices.Contains(c.Events, "") || slices.Contains(c.Events, verificationEvent) || slices.Contains(c.Events, streamUpdatedEvent):
		return errors.New("there is an empty string in Events, or a type that is not about a token: verification or stream-updated")
	case c.MaxConcurrent < 0:
		return errors.New("a negative MaxConcurrent")
	}
	for i, value := range c.Authorization {
		switch {
		case len(value) < minAuthorization:
			return fmt.Errorf("value %d of Authorization has %d bytes, fewer than %d", i+1, len(value), minAuthorization)
		case strings.TrimSpace(value) != value || strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }):
			return fmt.Errorf("the value %d of Authorization is not printable ASCII without spaces around it, so no request can have it", i+1)
		}
	}
	return nil
}

// inTransmitter adds to err which Transmitter it is about, if there are several.
func inTransmitter(cfg *Config, i int, err error) error {
	if len(cfg.Transmitters) == 1 {
		return err
	}
	return fmt.Errorf("Transmitter %d (issuer %q): %w", i+1, cfg.Transmitters[i].Issuer, err)
}

// newTransmitter checks and copies cfg. The keys are nil if they will be discovered.
func newTransmitter(cfg *Transmitter) (*transmitter, error) {
	t := &transmitter{
		issuer: cfg.Issuer, audiences: slices.Clone(cfg.Audiences), keys: cfg.Keys,
		subjectIssuer: cfg.SubjectIssuer, ignored: slices.Clone(cfg.IgnoredMembers),
	}
	if t.subjectIssuer == "" {
		t.subjectIssuer = t.issuer
	}
	keys := reflect.ValueOf(cfg.Keys)
	switch {
	case cfg.Issuer == "":
		return nil, errors.New("no Issuer is configured")
	case len(cfg.Audiences) == 0 || slices.Contains(cfg.Audiences, ""):
		return nil, errors.New("no Audiences are configured, or an empty string")
	case keys.Kind() == reflect.Pointer && keys.IsNil():
		return nil, errors.New("a nil pointer in Keys")
	case cfg.Keys != nil && !reflect.ValueOf(cfg.JWKS).IsZero():
		return nil, errors.New("both Keys and JWKS are set, but JWKS configures the default keys")
	}
	for _, name := range []string{"", "format", "user", "application"} {
		if slices.Contains(cfg.IgnoredMembers, name) {
			return nil, fmt.Errorf("%q in IgnoredMembers", name)
		}
	}
	var err error
	t.algorithms, err = jose.PublicKeyAlgorithms(cfg.Algorithms)
	return t, err
}

func discoverKeys(cfg *Transmitter, logger *slog.Logger) (*jwkscache.Cache, error) {
	jwks := cfg.JWKS
	if jwks.Logger == nil {
		jwks.Logger = logger
	}
	if jwks.MetadataURL == "" {
		var err error
		if jwks.MetadataURL, err = wellKnown(cfg.Issuer); err != nil {
			return nil, err
		}
	}
	return jwkscache.ForIssuer(cfg.Issuer, jwks)
}

// wellKnown returns the address of a transmitter's metadata (SSF 1.0 §7.2.1).
func wellKnown(issuer string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(issuer, "/"))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("the Issuer is not a URL of scheme, host and path, so Keys or JWKS.MetadataURL is needed")
	}
	return u.Scheme + "://" + u.Host + "/.well-known/ssf-configuration" + u.EscapedPath(), nil
}

// summary is the part of c that is not secret.
func (c Config) summary() string {
	issuers := make([]string, len(c.Transmitters))
	for i := range c.Transmitters {
		issuers[i] = c.Transmitters[i].Issuer
	}
	return fmt.Sprintf("Config(issuers=%q)", issuers)
}

// Format writes the issuers of the transmitters, whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(c.summary())) }

// MarshalText returns the issuers of the transmitters, for log/slog and encoding/json.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.summary()), nil }
