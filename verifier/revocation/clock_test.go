package revocation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// A clock that can be set.
type clock struct {
	wall    time.Time
	elapsed time.Duration
}

func (c *clock) pass(d time.Duration) { c.wall, c.elapsed = c.wall.Add(d), c.elapsed+d }
func (c *clock) set(d time.Duration)  { c.wall = c.wall.Add(d) }

func clockList(t *testing.T, cfg revocation.Config) (*revocation.List, *clock) {
	l, c := newList(t, cfg), &clock{wall: time.Unix(2000000000, 0)}
	revocation.SetClock(l, func() time.Time { return c.wall }, func() time.Duration { return c.elapsed })
	return l, c
}

// Whatever the clock is set to, what was revoked stays revoked until it has expired.
func TestClockIsSet(t *testing.T) {
	const end = time.Hour + 10*time.Minute
	token := func(c *clock, life time.Duration) *verifier.Token {
		return verifiertest.NewToken(verifiertest.Claims{"sub": "alice", "iat": c.wall, "exp": c.wall.Add(life)})
	}
	// look does what makes the list forget.
	look := func(t *testing.T, l *revocation.List) {
		revoke(t, l)
		l.Stats()
		l.Entries()
	}
	t.Run("L6 forward, and back", func(t *testing.T) {
		l, c := clockList(t, revocation.Config{})
		tok := token(c, time.Hour)
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice"})
		c.set(24 * time.Hour)
		look(t, l)
		assert.True(t, revoked(t, l, tok))
		c.pass(end - 1)
		look(t, l)
		assert.True(t, revoked(t, l, tok))
		c.set(-24 * time.Hour)
		assert.True(t, revoked(t, l, tok))
		c.pass(time.Millisecond)
		assert.False(t, revoked(t, l, tok))
		assert.Zero(t, l.Stats().Entries)
		assert.NoError(t, l.Health())
	})
	t.Run("L6 forward", func(t *testing.T) {
		l, c := clockList(t, revocation.Config{})
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice"})
		c.set(24 * time.Hour)
		c.pass(end - time.Millisecond)
		assert.Equal(t, 1, l.Stats().Entries)
		c.pass(time.Millisecond)
		assert.Equal(t, 0, l.Stats().Entries)
	})
	t.Run("L6 back", func(t *testing.T) {
		l, c := clockList(t, revocation.Config{})
		tok := token(c, time.Hour)
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice"})
		c.set(-24 * time.Hour)
		c.pass(end)
		look(t, l)
		assert.True(t, revoked(t, l, tok))
		c.pass(24*time.Hour - time.Millisecond)
		look(t, l)
		assert.True(t, revoked(t, l, tok))
		c.pass(time.Millisecond)
		assert.False(t, revoked(t, l, tok))
		assert.Zero(t, l.Stats().Entries)
	})
	t.Run("L6 forward, after it was added again", func(t *testing.T) {
		for _, lives := range [][2]time.Duration{{time.Minute, time.Hour}, {time.Hour, time.Minute}} {
			l, c := clockList(t, revocation.Config{})
			tok := verifiertest.NewToken(verifiertest.Claims{"jti": "x", "exp": forever})
			for _, life := range lives {
				revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "x", Expires: c.wall.Add(life)})
			}
			c.set(24 * time.Hour)
			c.pass(30 * time.Minute)
			look(t, l)
			assert.True(t, revoked(t, l, tok))
			c.pass(35*time.Minute - time.Millisecond)
			assert.Equal(t, 1, l.Stats().Entries)
			c.pass(time.Millisecond)
			assert.Equal(t, 0, l.Stats().Entries)
		}
	})
	t.Run("L6 forward while it is added, and back", func(t *testing.T) {
		l, c := clockList(t, revocation.Config{})
		expires := c.wall.Add(time.Hour)
		c.set(24 * time.Hour)
		revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "x", Expires: expires})
		require.NoError(t, l.Health())
		c.set(-24 * time.Hour)
		_, err := l.Revoked(ctx, verifiertest.NewToken(verifiertest.Claims{"jti": "x", "exp": expires}))
		require.ErrorContains(t, err, "the clock was set back")
		require.ErrorContains(t, l.Health(), "the clock was set back")
		assert.False(t, revoked(t, l, verifiertest.NewToken(verifiertest.Claims{"exp": expires.Add(time.Second)})))
	})
	t.Run("L6 back for a while", func(t *testing.T) {
		l, c := clockList(t, revocation.Config{})
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice"})
		c.set(-24 * time.Hour)
		c.pass(end)
		look(t, l)
		c.set(24 * time.Hour)
		c.pass(time.Minute - time.Millisecond)
		assert.Equal(t, 1, l.Stats().Entries)
		c.pass(time.Millisecond)
		assert.Zero(t, l.Stats().Entries)
	})
	t.Run("L6 back, after it has ended", func(t *testing.T) {
		l, c := clockList(t, revocation.Config{})
		tok := token(c, time.Hour)
		expires := c.wall.Add(time.Hour + 5*time.Minute)
		revoke(t, l, revocation.Entry{Issuer: issuer, Subject: "alice"})
		revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "x", Expires: c.wall.Add(time.Minute)})
		for range 2 { // which of them was forgotten last does not matter
			c.pass(end)
			require.Zero(t, l.Stats().Entries)
			require.NoError(t, l.Health())
			c.set(-20 * time.Minute)
			is, err := l.Revoked(ctx, tok)
			require.False(t, is)
			require.EqualError(t, err, "revocation: the clock was set back: this token expired before, and whether it was revoked is forgotten")
			require.EqualError(t, l.Health(), "revocation: the clock was set back: tokens that expire before 2033-05-18T04:38:20Z are refused")
			require.Equal(t, "2033-05-18T04:38:20Z", expires.UTC().Format(time.RFC3339))

			assert.False(t, revoked(t, l, verifiertest.NewToken(verifiertest.Claims{"exp": expires.Add(time.Second)})), "others are not refused")
			_, err = l.Revoked(ctx, verifiertest.NewToken(verifiertest.Claims{"exp": expires}))
			require.Error(t, err, "a token that may have been revoked")
			c.pass(20*time.Minute - time.Millisecond)
			require.Error(t, l.Health())
			c.pass(time.Millisecond)
			require.NoError(t, l.Health())

			c.set(-end - 20*time.Minute)
			revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "x", Expires: c.wall.Add(-time.Minute)})
			revoke(t, l, revocation.Entry{Issuer: issuer, TokenID: "x", Expires: c.wall.Add(time.Minute)})
			c.set(20 * time.Minute)
		}
	})
}

// A zero Token, and none.
func TestNotVerified(t *testing.T) {
	l := newList(t, revocation.Config{})
	for _, tok := range []*verifier.Token{nil, {}} {
		is, err := l.Revoked(ctx, tok)
		assert.False(t, is)
		assert.EqualError(t, err, "revocation: the token was not returned by a Verifier", "L1")
	}
}
