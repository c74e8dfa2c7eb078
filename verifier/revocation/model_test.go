package revocation_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A model is a list without any cleverness.
type model struct {
	entries  []revocation.Entry // with both times, merged, also those that have ended
	lifetime time.Duration
	most     int
}

const modelSkew, modelLeeway = 5 * time.Second, 5 * time.Minute

func same(a, b revocation.Entry) bool {
	return a.Issuer == b.Issuer && a.TokenID == b.TokenID && a.Subject == b.Subject && a.ClientID == b.ClientID
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// complete sets the times that are not set.
func (m *model) complete(e revocation.Entry) revocation.Entry {
	now := time.Now()
	if e.IssuedBefore.After(now.Add(modelLeeway)) {
		e.IssuedBefore = now.Add(modelLeeway)
	}
	given := e.Expires
	if e.IssuedBefore.IsZero() && e.TokenID == "" {
		e.IssuedBefore = now
	}
	switch {
	case e.TokenID != "" && given.IsZero():
		e.Expires = now.Add(modelLeeway + m.lifetime)
	case e.TokenID == "":
		e.Expires = later(given, e.IssuedBefore.Add(modelSkew+m.lifetime))
		if given.IsZero() {
			e.Expires = later(e.Expires, now.Add(modelLeeway+m.lifetime))
		}
	}
	if !e.IssuedBefore.IsZero() {
		e.IssuedBefore = e.IssuedBefore.Round(0).UTC()
	}
	e.Expires = e.Expires.Round(0).UTC()
	return e
}

func isLive(e revocation.Entry) bool { return time.Now().Before(e.Expires.Add(modelLeeway)) }

func (m *model) live() (live []revocation.Entry) {
	for _, e := range m.entries {
		if isLive(e) {
			live = append(live, e)
		}
	}
	return live
}

// revoke reports whether there is room.
func (m *model) revoke(entries []revocation.Entry) bool {
	m.entries = m.live()
	after := slices.Clone(m.entries)
	for _, e := range entries {
		e = m.complete(e)
		if !isLive(e) {
			continue
		}
		i := slices.IndexFunc(after, func(old revocation.Entry) bool { return same(old, e) })
		if i < 0 {
			after = append(after, e)
			continue
		}
		after[i].Expires = later(after[i].Expires, e.Expires)
		if e.IssuedBefore.IsZero() || after[i].IssuedBefore.IsZero() {
			after[i].IssuedBefore = time.Time{}
		} else {
			after[i].IssuedBefore = later(after[i].IssuedBefore, e.IssuedBefore)
		}
	}
	if len(after) > m.most {
		return false
	}
	m.entries = after
	return true
}

func (m *model) revoked(t *verifier.Token) bool {
	return slices.ContainsFunc(m.live(), func(e revocation.Entry) bool {
		return e.Issuer == t.Issuer() &&
			(e.TokenID == "" || e.TokenID == t.ID()) &&
			(e.Subject == "" || e.Subject == t.Subject()) &&
			(e.ClientID == "" || e.ClientID == t.ClientID()) &&
			(e.IssuedBefore.IsZero() || t.IssuedAt().IsZero() || t.IssuedAt().Before(e.IssuedBefore.Add(modelSkew)))
	})
}

// The list against the model, and a copy of it that is fed by snapshots.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 0))
		one := func(of ...string) string { return of[random.IntN(len(of))] }
		m := &model{lifetime: time.Hour, most: 20}
		l := newList(t, revocation.Config{MaxEntries: m.most})
		entry := func() revocation.Entry {
			e := revocation.Entry{Issuer: one("https://a.test", "https://b.test")}
			switch random.IntN(9) {
			case 0: // all of the issuer
			case 1, 2, 3:
				e.TokenID = one("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12")
			default:
				e.Subject, e.ClientID = one("", "alice", "bob", "x"), one("", "app", "web", "x")
			}
			if random.IntN(2) == 0 {
				e.IssuedBefore = time.Now().Add(time.Duration(random.IntN(900)-450) * time.Second)
			}
			if random.IntN(2) == 0 {
				e.Expires = time.Now().Add(time.Duration(random.IntN(5000)-1000) * time.Second)
			}
			return e
		}
		token := func() *verifier.Token {
			c := verifiertest.Claims{"iss": one("https://a.test", "https://b.test"), "exp": forever, "iat": time.Now().Add(time.Duration(random.IntN(1000)-500) * time.Second)}
			for name, value := range map[string]string{"jti": one("", "1", "2", "12"), "sub": one("", "alice", "bob", "x"), "client_id": one("", "app", "web", "x")} {
				c[name] = value
				if value == "" {
					c[name] = nil
				}
			}
			if random.IntN(8) == 0 {
				c["iat"] = nil
			}
			return verifiertest.NewToken(c)
		}
		var tokens []*verifier.Token
		for range 200 {
			tokens = append(tokens, token())
		}
		full, yes, no := 0, 0, 0
		for step := range 4000 {
			entries := make([]revocation.Entry, random.IntN(4))
			for i := range entries {
				entries[i] = entry()
			}
			err := l.Revoke(ctx, entries...)
			require.Equal(t, m.revoke(entries), err == nil, "step %d: %v", step, err)
			if err != nil {
				require.ErrorIs(t, err, revocation.ErrFull)
				full++
			}
			if random.IntN(3) == 0 {
				time.Sleep(time.Duration(random.IntN(2_000_000)) * time.Millisecond)
			}
			if step%50 == 0 {
				tokens[random.IntN(len(tokens))] = token()
				require.ElementsMatch(t, m.live(), l.Entries(), "L7 step %d", step)
			}
			other := newList(t, revocation.Config{MaxEntries: m.most})
			revoke(t, other, l.Entries()...)
			for range 5 {
				tok := tokens[random.IntN(len(tokens))]
				want := m.revoked(tok)
				require.Equal(t, want, revoked(t, l, tok), "L1 L2 L3 step %d: %v", step, tok)
				require.Equal(t, want, revoked(t, other, tok), "L7 step %d: %v", step, tok)
				if want {
					yes++
				} else {
					no++
				}
			}
			require.Equal(t, len(m.live()), l.Stats().Entries)
		}
		assert.Greater(t, min(full, yes, no), 50, "%d full, %d revoked, %d not", full, yes, no)
	})
}

// A snapshot taken from one list and given to another, and back, is the same.
func TestEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t, revocation.Config{})
		time.Sleep(1234567 * time.Nanosecond)
		revoke(t, l,
			revocation.Entry{Issuer: issuer},
			revocation.Entry{Issuer: issuer, TokenID: "t"},
			revocation.Entry{Issuer: issuer, Subject: "s"},
			revocation.Entry{Issuer: issuer, ClientID: "c"},
			revocation.Entry{Issuer: issuer, Subject: "s", ClientID: "c"},
			revocation.Entry{Issuer: issuer, TokenID: "s", IssuedBefore: time.Unix(-1e9, 0)},
			revocation.Entry{Issuer: issuer + "/", TokenID: "t", IssuedBefore: time.Now().In(time.FixedZone("x", 3600)), Expires: time.Now().Add(time.Second)})
		first := l.Entries()
		require.Len(t, first, 7)
		seen := map[revocation.Entry]bool{}
		assert.True(t, slices.ContainsFunc(first, func(e revocation.Entry) bool { return e.IssuedBefore.Equal(time.Unix(-1e9, 0)) }))
		for _, e := range first {
			seen[e] = true
			assert.Equal(t, e.Expires, e.Expires.Truncate(time.Millisecond))
		}
		time.Sleep(time.Minute) // the same from then on, whenever it is loaded
		other := newList(t, revocation.Config{})
		revoke(t, other, first...)
		revoke(t, l, other.Entries()...)
		for _, e := range slices.Concat(other.Entries(), l.Entries()) {
			assert.True(t, seen[e], "L7 %v", e)
		}
		assert.Len(t, other.Entries(), 7)
		assert.Len(t, l.Entries(), 7)
	})
}

// A list does not keep the memory that its entries were cut out of.
func TestEntriesAreCopied(t *testing.T) {
	page := []byte(strings.Repeat("x", 1000))
	text := string(page)
	l := newList(t, revocation.Config{})
	revoke(t, l, revocation.Entry{Issuer: text[:5], Subject: text[:6], ClientID: text[:7]})
	e := l.Entries()[0]
	for _, s := range []string{e.Issuer, e.Subject, e.ClientID} {
		assert.NotSame(t, unsafeData(text), unsafeData(s), "L4")
	}
}

// Readers while entries are added, end and are forgotten: what is revoked stays so, and
// nothing else is.
func TestConcurrently(t *testing.T) {
	l := newList(t, revocation.Config{MaxEntries: 5000})
	var elapsed atomic.Int64
	start := time.Now()
	revocation.SetClock(l, func() time.Time { return start.Add(time.Duration(elapsed.Load())) }, func() time.Duration { return time.Duration(elapsed.Load()) })
	type row struct {
		tok  *verifier.Token
		want bool
	}
	var rows []row
	for i := range 20 {
		rows = append(rows, row{verifiertest.NewToken(verifiertest.Claims{"jti": fmt.Sprintf("yes-%d", i), "exp": forever}), true},
			row{verifiertest.NewToken(verifiertest.Claims{"jti": fmt.Sprintf("no-%d", i), "exp": forever}), false})
		revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: fmt.Sprintf("yes-%d", i), Expires: time.Unix(forever, 0)})
	}
	var done atomic.Bool
	var all sync.WaitGroup
	for g := range 3 {
		all.Go(func() {
			for i := g; !done.Load(); i++ {
				r := rows[i%len(rows)]
				if is, err := l.Revoked(ctx, r.tok); is != r.want || err != nil {
					t.Errorf("L5 %v: %v %v", r.tok, is, err)
					return
				}
				if g == 0 && i%1000 == 0 {
					l.Stats()
					l.Entries()
				}
			}
		})
	}
	for i := range 200 {
		entries := make([]revocation.Entry, 200)
		for j := range entries {
			e := revocation.Entry{Issuer: issuer, TokenID: fmt.Sprint(i, "-", j), Expires: start.Add(time.Duration(elapsed.Load()))}
			switch j % 4 {
			case 0:
				e.TokenID, e.Subject = "", e.TokenID
			case 1:
				e.TokenID, e.ClientID = "", e.TokenID
			}
			entries[j] = e
		}
		for len(entries) > 0 {
			if l.Revoke(ctx, entries[:10]...) == nil {
				entries = entries[10:]
			}
			elapsed.Add(int64(time.Duration(10+i%20*20) * time.Second))
		}
	}
	done.Store(true)
	all.Wait()
}
