package revocation_test

import (
	"context"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const issuer = "https://issuer.test"

var ctx = context.Background()

func newList(t testing.TB, cfg revocation.Config) *revocation.List {
	t.Helper()
	if cfg.MaxLifetime == 0 {
		cfg.MaxLifetime = time.Hour
	}
	l, err := revocation.New(cfg)
	require.NoError(t, err)
	return l
}

func revoke(t testing.TB, l *revocation.List, entries ...revocation.Entry) {
	t.Helper()
	require.NoError(t, l.Revoke(ctx, entries...))
}

func revoked(t testing.TB, l *revocation.List, tok *verifier.Token) bool {
	t.Helper()
	is, err := l.Revoked(ctx, tok)
	require.NoError(t, err)
	return is
}

// Which members of an Entry have to match.
func TestMatch(t *testing.T) {
	type claims = verifiertest.Claims
	tokens := map[string]*verifier.Token{
		"t1":              verifiertest.NewToken(claims{"jti": "t1", "sub": "alice", "client_id": "app"}),
		"t2":              verifiertest.NewToken(claims{"jti": "t2", "sub": "alice", "client_id": "web"}),
		"t3":              verifiertest.NewToken(claims{"jti": "t3", "sub": "bob", "client_id": "app"}),
		"swapped":         verifiertest.NewToken(claims{"jti": "alice", "sub": "app", "client_id": "alice"}),
		"none":            verifiertest.NewToken(claims{"jti": nil, "sub": nil, "client_id": nil}),
		"empty":           verifiertest.NewToken(claims{"jti": "", "sub": "", "client_id": ""}),
		"another issuer":  verifiertest.NewToken(claims{"iss": issuer + "/", "jti": "t1", "sub": "alice", "client_id": "app"}),
		"nothing in it 1": verifiertest.NewToken(claims{"jti": "t9", "sub": nil, "client_id": "web"}),
	}
	for _, row := range []struct {
		name  string
		entry revocation.Entry
		want  []string
	}{
		{"L1 a token", revocation.Entry{TokenID: "t1"}, []string{"t1"}},
		{"L1 a subject", revocation.Entry{Subject: "alice"}, []string{"t1", "t2"}},
		{"L1 a client", revocation.Entry{ClientID: "app"}, []string{"t1", "t3"}},
		{"L1 a subject at a client", revocation.Entry{Subject: "alice", ClientID: "app"}, []string{"t1"}},
		{"L1 an issuer", revocation.Entry{}, []string{"t1", "t2", "t3", "swapped", "none", "empty", "nothing in it 1"}},
		{"L1 nobody", revocation.Entry{Subject: "t1", ClientID: "alice"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := newList(t, revocation.Config{})
			row.entry.Issuer = issuer
			row.entry.IssuedBefore = time.Now().Add(time.Minute)
			revoke(t, l, row.entry)
			var got []string
			for name, tok := range tokens {
				if revoked(t, l, tok) {
					got = append(got, name)
				}
			}
			assert.ElementsMatch(t, row.want, got)
			assert.Equal(t, verifier.RevocationStats{Entries: 1, MaxEntries: 100_000}, l.Stats())
		})
	}
}

// What New and Revoke refuse.
func TestMistakes(t *testing.T) {
	for name, cfg := range map[string]revocation.Config{
		"a MaxLifetime of 0 ns":    {},
		"a MaxLifetime of 3600 ns": {MaxLifetime: 3600},
		"MaxLifetime of 999999999": {MaxLifetime: time.Second - 1},
		"MaxEntries is -1":         {MaxLifetime: time.Hour, MaxEntries: -1},
		"a ClockSkew of 5 ns":      {MaxLifetime: time.Hour, ClockSkew: 5},
		"a ClockSkew of 999999 ns": {MaxLifetime: time.Hour, ClockSkew: time.Millisecond - 1},
		"a ClockSkew of 5m0.001s":  {MaxLifetime: time.Hour, ClockSkew: 5*time.Minute + time.Millisecond},
	} {
		_, err := revocation.New(cfg)
		assert.ErrorContains(t, err, name)
	}
	for _, skew := range []time.Duration{-time.Hour, time.Millisecond, 5 * time.Minute} {
		newList(t, revocation.Config{MaxLifetime: time.Second, ClockSkew: skew})
	}
	const most = 2048
	for name, entry := range map[string]revocation.Entry{
		"no Issuer":                {TokenID: "x"},
		"both a TokenID":           {Issuer: issuer, TokenID: "x", Subject: "x"},
		"a Subject or ClientID":    {Issuer: issuer, TokenID: "x", ClientID: "x"},
		"Issuer has 2049 bytes":    {Issuer: strings.Repeat("x", most+1)},
		"TokenID has 2049 bytes":   {Issuer: issuer, TokenID: strings.Repeat("x", most+1)},
		"Subject has 2049 bytes":   {Issuer: issuer, Subject: strings.Repeat("x", most+1)},
		"ClientID has 2049 bytes":  {Issuer: issuer, ClientID: strings.Repeat("x", most+1)},
		"ClientID is not UTF-8":    {Issuer: issuer, ClientID: "\xff"},
		"Expires is not in":        {Issuer: issuer, Expires: time.Unix(1<<60, 0)},
		"IssuedBefore is not in":   {Issuer: issuer, IssuedBefore: time.Unix(253402300799, 1)},
		"IssuedBefore is not in t": {Issuer: issuer, IssuedBefore: time.Time{}.Add(-1)},
	} {
		l := newList(t, revocation.Config{})
		err := l.Revoke(ctx, revocation.Entry{Issuer: issuer}, entry)
		require.ErrorContains(t, err, strings.TrimSuffix(name, " t"))
		assert.ErrorContains(t, err, "entry 2 of 2", name)
		assert.Empty(t, l.Entries(), "L4 all or none")
		assert.NoError(t, l.Health(), "a mistake is not a lack of room")
	}
	long := revocation.Entry{Issuer: strings.Repeat("i", most), Subject: strings.Repeat("s", most), ClientID: strings.Repeat("c", most)}
	last := revocation.Entry{Issuer: issuer, IssuedBefore: time.Unix(253402300799, 0), Expires: time.Unix(253402300799, 0)}
	revoke(t, newList(t, revocation.Config{}), long, last)
}

// Entries whose hash is that of another, which no test finds otherwise.
func TestCollisions(t *testing.T) {
	const a, b = "https://a.test", "https://b.test"
	entries := []revocation.Entry{
		{Issuer: a}, {Issuer: a, TokenID: "x"}, {Issuer: a, Subject: "x"}, {Issuer: a, ClientID: "x"}, {Issuer: a, Subject: "x", ClientID: "x"},
		{Issuer: b}, {Issuer: b, TokenID: "x"}, {Issuer: b, Subject: "x"}, {Issuer: b, ClientID: "x"}, {Issuer: b, Subject: "x", ClientID: "x"},
		{Issuer: a, TokenID: "y"}, {Issuer: a, Subject: "y"}, {Issuer: a, ClientID: "y"}, {Issuer: a, Subject: "x", ClientID: "y"}, {Issuer: a, Subject: "y", ClientID: "x"},
	}
	tok := verifiertest.NewToken(verifiertest.Claims{"iss": a, "jti": "x", "sub": "x", "client_id": "x"})
	for i, own := range entries[:5] {
		for j, other := range entries {
			if i == j {
				continue
			}
			l := newList(t, revocation.Config{MaxEntries: 2})
			revocation.Collide(l, other, own)
			assert.False(t, revoked(t, l, tok), "L1 %v is not %v", other, own)
			revoke(t, l, own)
			assert.Equal(t, 2, l.Stats().Entries)
			own.IssuedBefore = time.Now().Add(time.Minute)
			revoke(t, l, own)
			assert.True(t, revoked(t, l, tok), "L1 %v beside %v", own, other)
		}
	}
}

func unsafeData(s string) *byte { return unsafe.StringData(s) }
