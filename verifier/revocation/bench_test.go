package revocation_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

const uuid = "3f1c2a5e-0d47-4b6e-9a1b-%012x"

// fill adds n entries: of each ten, six with a TokenID, two with a Subject, one with a
// ClientID, and one with both.
func fill(t testing.TB, l *revocation.List, n int) {
	t.Helper()
	entries := make([]revocation.Entry, n)
	for i := range entries {
		e := revocation.Entry{Issuer: issuer}
		switch name := fmt.Sprintf(uuid, i); i % 10 {
		case 0, 1:
			e.Subject = name
		case 2:
			e.ClientID = name
		case 3:
			e.Subject, e.ClientID = name, "app"
		default:
			e.TokenID = name
		}
		entries[i] = e
	}
	require.NoError(t, l.Revoke(ctx, entries...))
}

var lists = []struct {
	name    string
	entries int
	more    []revocation.Entry
	revoked bool
}{
	{"empty", 0, nil, false},
	{"a token", 0, []revocation.Entry{{Issuer: issuer, TokenID: "x"}}, false},
	{"100,000 entries", 100_000, nil, false},
	{"100,000 entries, an issuer of long ago", 99_999, []revocation.Entry{{Issuer: issuer, IssuedBefore: time.Unix(1, 0)}}, false},
	{"100,000 entries, a user of long ago", 99_999, []revocation.Entry{{Issuer: issuer, Subject: "alice", IssuedBefore: time.Unix(1, 0)}}, false},
	{"100,000 entries, revoked", 99_999, []revocation.Entry{{Issuer: issuer, TokenID: fmt.Sprintf(uuid, 1<<40)}}, true},
}

func alice() *verifier.Token {
	return verifiertest.NewToken(verifiertest.Claims{"jti": fmt.Sprintf(uuid, 1<<40), "sub": "alice", "client_id": "app"})
}

func BenchmarkRevoked(b *testing.B) {
	tok := alice()
	for _, row := range lists {
		l := newList(b, revocation.Config{})
		fill(b, l, row.entries)
		revoke(b, l, row.more...)
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if is, err := l.Revoked(ctx, tok); is != row.revoked || err != nil {
					b.Fatal(is, err)
				}
			}
		})
		b.Run(row.name+", parallel", func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if is, err := l.Revoked(ctx, tok); is != row.revoked || err != nil {
						b.Fatal(is, err)
					}
				}
			})
		})
	}
	// As above, with a table that is not in the processor's cache.
	b.Run("100,000 entries, 4,096 tokens", func(b *testing.B) {
		l := newList(b, revocation.Config{})
		fill(b, l, 100_000)
		tokens := make([]*verifier.Token, 4096)
		for i := range tokens {
			tokens[i] = verifiertest.NewToken(verifiertest.Claims{"jti": fmt.Sprintf(uuid, i<<32), "sub": fmt.Sprintf("user-%d", i), "client_id": "app"})
		}
		i := 0
		for b.Loop() {
			i++
			if is, err := l.Revoked(ctx, tokens[i%len(tokens)]); is || err != nil {
				b.Fatal(is, err)
			}
		}
	})
}

// A remembered token, with and without a list.
func BenchmarkVerify(b *testing.B) {
	iss := verifiertest.NewIssuer(b)
	raw := iss.Token(nil)
	for _, row := range []struct {
		name string
		n    int
	}{{"no list", -1}, {"empty", 0}, {"100,000 entries", 100_000}} {
		var s verifier.Settings
		if row.n >= 0 {
			l := newList(b, revocation.Config{MaxLifetime: 24 * time.Hour})
			fill(b, l, row.n)
			s.Revocation = l
		}
		cfg := iss.Config("https://api.example.com")
		cfg.MaxLifetime = 24 * time.Hour
		v, err := s.New(cfg)
		require.NoError(b, err)
		b.Cleanup(func() { v.Close() })
		verify := func(b *testing.B) {
			if _, err := v.Verify(ctx, raw); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				verify(b)
			}
		})
		b.Run(row.name+", parallel", func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					verify(b)
				}
			})
		})
	}
}

// One Entry, in a list of 100,000 that is full of others.
func BenchmarkRevoke(b *testing.B) {
	l := newList(b, revocation.Config{MaxEntries: 1 << 30})
	fill(b, l, 100_000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		if err := l.Revoke(ctx, revocation.Entry{Issuer: issuer, TokenID: fmt.Sprintf(uuid, i<<20)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemory(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		l := newList(b, revocation.Config{})
		fill(b, l, 100_000)
		b.ReportMetric(float64(heap()-before)/1e6, "MB")
		runtime.KeepAlive(l)
	}
}
