package revocation_test

import (
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// forever is an exp that no test waits for.
const forever = 9999999999

// Which tokens count as issued before an Entry's time.
func TestIssuedBefore(t *testing.T) {
	for _, row := range []struct {
		name    string
		cfg     revocation.Config
		before  time.Duration // from now; 0: none is set
		tokenID bool
		last    time.Duration // iat of the last token that is revoked
	}{
		{"L2 now, and 5 seconds for clocks", revocation.Config{}, 0, false, 4 * time.Second},
		{"L2 a time in the past", revocation.Config{}, -time.Minute, false, -56 * time.Second},
		{"L2 a skew of a minute", revocation.Config{ClockSkew: time.Minute}, 0, false, 59 * time.Second},
		{"L2 no skew", revocation.Config{ClockSkew: -time.Hour}, 0, false, -time.Second},
		{"L2 a little in the future", revocation.Config{}, time.Minute, false, 64 * time.Second},
		{"L2 far in the future is 5 minutes", revocation.Config{}, 24 * 365 * time.Hour, false, 304 * time.Second},
		{"L2 a token whenever it was issued", revocation.Config{}, 0, true, 24 * 365 * time.Hour},
		{"L2 a token issued before", revocation.Config{}, -time.Minute, true, -56 * time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newList(t, row.cfg)
				e := revocation.Entry{Issuer: issuer, Subject: "alice"}
				if row.tokenID {
					e = revocation.Entry{Issuer: issuer, TokenID: "t1"}
				}
				if row.before != 0 {
					e.IssuedBefore = time.Now().Add(row.before)
				}
				revoke(t, l, e)
				token := func(iat any) *verifier.Token {
					return verifiertest.NewToken(verifiertest.Claims{"sub": "alice", "jti": "t1", "iat": iat, "exp": forever})
				}
				assert.True(t, revoked(t, l, token(time.Now().Add(row.last))))
				assert.True(t, revoked(t, l, token(nil)), "L2 no iat")
				assert.True(t, revoked(t, l, token("x")), "L2 an iat that is none")
				next := token(time.Now().Add(row.last + time.Second))
				assert.Equal(t, row.tokenID && row.before == 0, revoked(t, l, next))
			})
		})
	}
}

// At the exact millisecond.
func TestIssuedBeforeIsExact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := float64(time.Now().Unix())
		for _, row := range []struct {
			before time.Duration
			iat    float64
			want   bool
		}{
			{0, -0.001, true},
			{0, 0, false},
			{time.Millisecond, 0.0005, true},
			{time.Millisecond, 0.001, false},
			{1, 0.0009, true}, // rounded up
			{1, 0.001, false},
		} {
			l := newList(t, revocation.Config{ClockSkew: -1})
			revoke(t, l, revocation.Entry{Issuer: issuer, IssuedBefore: time.Now().Add(row.before)})
			tok := verifiertest.NewToken(verifiertest.Claims{"iat": start + row.iat, "exp": forever})
			assert.Equal(t, row.want, revoked(t, l, tok), "L2 %v", row)
		}
	})
}

// No token that was revoked is admitted after its Entry has ended, whatever the kind. And
// none is kept for longer than the longest token.
func TestEnd(t *testing.T) {
	const lifetime, skew, maxLeeway = time.Hour, 5 * time.Second, 5 * time.Minute
	type tok struct {
		iat  any
		life time.Duration // until exp
	}
	last := tok{4, lifetime + 4*time.Second} // issued by a clock that is 4 seconds ahead
	for _, row := range []struct {
		name    string
		entry   revocation.Entry
		tokens  []tok
		expires time.Duration // Entry.Expires, 0 for none
		end     time.Duration // of the Entry
	}{
		{"L3 a token", revocation.Entry{TokenID: "t"}, []tok{{0, lifetime}, last, {nil, lifetime + maxLeeway}, {300, lifetime + maxLeeway}}, 0, lifetime + 2*maxLeeway},
		{"L3 a token whose exp is known", revocation.Entry{TokenID: "t"}, []tok{{0, 10 * time.Minute}}, 10 * time.Minute, 10*time.Minute + maxLeeway},
		{"L3 a user", revocation.Entry{Subject: "alice"}, []tok{{0, lifetime}, last, {nil, lifetime + maxLeeway}}, 0, lifetime + 2*maxLeeway},
		{"L3 a client", revocation.Entry{ClientID: "app"}, []tok{{0, lifetime}, last, {nil, lifetime + maxLeeway}}, 0, lifetime + 2*maxLeeway},
		{"L3 a user at a client", revocation.Entry{Subject: "alice", ClientID: "app"}, []tok{{0, lifetime}, last, {nil, lifetime + maxLeeway}}, 0, lifetime + 2*maxLeeway},
		{"L3 an issuer", revocation.Entry{}, []tok{{0, lifetime}, last, {nil, lifetime + maxLeeway}}, 0, lifetime + 2*maxLeeway},
		{"L3 a time in the past", revocation.Entry{IssuedBefore: at(-time.Minute)}, []tok{{-60, lifetime - time.Minute}, {nil, lifetime + maxLeeway}}, 0, lifetime + 2*maxLeeway},
		{"L3 a time in the future", revocation.Entry{IssuedBefore: at(time.Hour)}, []tok{{0, lifetime}, {300 + 4, lifetime + 304*time.Second}}, 0, lifetime + skew + 2*maxLeeway},
		{"L3 it is never shorter than for tokens with iat", revocation.Entry{Subject: "alice"}, []tok{{0, lifetime}, last}, time.Second, lifetime + skew + maxLeeway},
		{"L3 longer", revocation.Entry{Subject: "alice"}, []tok{{0, lifetime}, last}, 3 * time.Hour, 3*time.Hour + maxLeeway},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				iss := verifiertest.NewIssuer(t)
				l := newList(t, revocation.Config{MaxLifetime: lifetime})
				cfg := iss.Config("https://api.example.com")
				cfg.MaxLifetime, cfg.Leeway = lifetime, maxLeeway
				v, err := verifier.Settings{Revocation: l, Logger: slog.New(slog.DiscardHandler)}.New(cfg)
				require.NoError(t, err)
				defer v.Close()
				var raws []string
				for _, tok := range row.tokens {
					iat := tok.iat
					if n, ok := iat.(int); ok {
						iat = start.Add(time.Duration(n) * time.Second)
					}
					raw := iss.Token(verifiertest.Claims{"jti": "t", "sub": "alice", "client_id": "app", "iat": iat, "exp": start.Add(tok.life)})
					raws = append(raws, raw)
					if tok.life <= lifetime+maxLeeway {
						_, err := v.Verify(ctx, raw)
						require.NoError(t, err)
					}
				}
				row.entry.Issuer = iss.URL()
				if row.expires != 0 {
					row.entry.Expires = start.Add(row.expires)
				}
				revoke(t, l, row.entry)
				refused := func() {
					t.Helper()
					for _, raw := range raws {
						_, err := v.Verify(ctx, raw)
						require.Error(t, err, time.Since(start))
					}
				}
				for time.Since(start) < row.end-time.Minute {
					refused()
					time.Sleep(50 * time.Second)
				}
				time.Sleep(row.end - time.Since(start) - 1)
				refused()
				assert.Equal(t, 1, l.Stats().Entries)
				time.Sleep(time.Nanosecond)
				refused()
				assert.Equal(t, 0, l.Stats().Entries)
				for range 100 {
					refused()
					time.Sleep(time.Minute)
				}
			})
		})
	}
}

// at returns a time in a synctest bubble, by its distance from the start.
func at(d time.Duration) time.Time { return time.Unix(946684800, 0).Add(d) }

// The longest leeway of a Config is what entries are kept longer for.
func TestMaxLeeway(t *testing.T) {
	cfg := verifier.Config{Issuer: issuer, Audiences: []string{"x"}, SharedSecrets: [][]byte{make([]byte, 32)}, Leeway: 5 * time.Minute}
	v, err := verifier.New(cfg)
	require.NoError(t, err, "L3")
	defer v.Close()
	cfg.Leeway++
	_, err = verifier.New(cfg)
	require.ErrorContains(t, err, "Leeway", "L3")
}

// Adding an Entry never shortens another.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t, revocation.Config{})
		one := revocation.Entry{Issuer: issuer, Subject: "alice", IssuedBefore: at(-time.Minute), Expires: at(2 * time.Hour)}
		revoke(t, l, one, one)
		revoke(t, l, one)
		require.Equal(t, []revocation.Entry{utc(one)}, l.Entries(), "L3")
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice", IssuedBefore: at(-time.Second), Expires: at(3 * time.Hour)})
		revoke(t, l, one)
		later := revocation.Entry{Issuer: issuer, Subject: "alice", IssuedBefore: at(-time.Second), Expires: at(3 * time.Hour)}
		require.Equal(t, []revocation.Entry{utc(later)}, l.Entries(), "L3 the later time of each")
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice", IssuedBefore: at(-time.Hour), Expires: at(4 * time.Hour)})
		later.Expires = at(4 * time.Hour)
		require.Equal(t, []revocation.Entry{utc(later)}, l.Entries(), "L3 the later time of each")

		id := revocation.Entry{Issuer: issuer, TokenID: "t", Expires: at(time.Hour)}
		revoke(t, l, id)
		revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "t", Expires: at(time.Minute), IssuedBefore: at(-time.Hour)})
		assert.Contains(t, l.Entries(), utc(id), "L3 whenever it was issued is later than any time")

		old := revocation.Entry{Issuer: issuer, TokenID: "old", Expires: at(-5 * time.Minute)}
		revoke(t, l, old)
		assert.NotContains(t, l.Entries(), utc(old), "it has ended")
		old.Expires = at(-5*time.Minute + 1) // rounded up
		revoke(t, l, old)
		assert.Equal(t, 3, l.Stats().Entries)
		time.Sleep(3*time.Hour + 6*time.Minute)
		assert.Len(t, l.Entries(), 1, "L3 the longest Expires holds")
		time.Sleep(time.Hour)
		assert.Empty(t, l.Entries())
	})
}

func utc(e revocation.Entry) revocation.Entry {
	if !e.IssuedBefore.IsZero() {
		e.IssuedBefore = e.IssuedBefore.UTC()
	}
	e.Expires = e.Expires.UTC()
	return e
}

// A MaxLifetime that is no whole number of milliseconds, and one without an end.
func TestLifetime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, row := range []struct {
			lifetime time.Duration
			expires  time.Time
		}{
			{time.Hour, at(time.Hour + 5*time.Minute)},
			{time.Hour + 1, at(time.Hour + 5*time.Minute + time.Millisecond)},
			{math.MaxInt64, at(math.MaxInt64).Add(5 * time.Minute).Truncate(time.Millisecond).Add(time.Millisecond)},
		} {
			l := newList(t, revocation.Config{MaxLifetime: row.lifetime})
			revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "t"})
			assert.Equal(t, []revocation.Entry{{Issuer: issuer, TokenID: "t", Expires: row.expires.UTC()}}, l.Entries(), "L3")
			assert.Equal(t, row.lifetime, l.Lifetime())
			assert.True(t, revoked(t, l, verifiertest.NewToken(verifiertest.Claims{"jti": "t"})))
		}
	})
}
