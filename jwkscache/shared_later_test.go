package jwkscache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// What one process knows reaches the Store later, and what another one knows replaces what
// was remembered here.
func TestSharedLater(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("F4 what could not be saved is saved when the Store is back", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		require.NoError(t, open(t, s, shared(st)).Close())
		sw := &switched{Store: st}
		c := open(t, s, shared(sw))
		pass(time.Second)
		before := st.document()
		sw.set(func(context.Context, string) error { return errors.New("connection refused") })
		s.serve(publish(a, b))
		require.NoError(t, c.Refresh(t.Context()))
		pass(time.Second)
		require.Equal(t, before, st.document())
		sw.set(nil)
		pass(11 * time.Second)
		assert.NotEqual(t, before, st.document())
		require.NoError(t, c.Close())
		serves(t, open(t, s, shared(st)), b)
	}))

	t.Run("F5 K6 after other keys were adopted, a key that was missing is asked for at once", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		c, other := open(t, s, shared(st)), open(t, s, shared(st))
		ask := func() {
			keys, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "z", Algorithm: "ES256"})
			require.NoError(t, err)
			require.Empty(t, keys)
		}
		for range 150 { // until it is asked for every 30 seconds
			ask()
			pass(time.Second)
		}
		for before := s.fetches(); s.fetches() == before; pass(time.Second) {
			ask()
		}
		s.serve(publish(a, b))
		require.NoError(t, other.Refresh(t.Context()))
		pass(11 * time.Second)
		require.Equal(t, 2, c.Stats().Keys)
		before := s.fetches()
		ask()
		assert.Equal(t, before+1, s.fetches())
	}))

	t.Run("F8 without keys, a Retry-After that another process got counts for 10 seconds", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		first := open(t, s, shared(st))
		pass(time.Second)
		s.serve(fail(429, "Retry-After", "300"))
		require.Error(t, first.Refresh(t.Context()))
		require.NoError(t, first.Close())
		st.put(nil) // the keys, not the note of the failure
		second := open(t, s, shared(st))
		pass(5 * time.Second)
		require.Equal(t, 2, s.fetches(), "it waits, too")
		s.serve(publish(a))
		pass(10 * time.Second)
		serves(t, second, a)
	}))
}

func TestSharedNotes(t *testing.T) {
	a, b := newKey("a"), newKey("b")
	limited := fail(429, "Retry-After", "300")

	t.Run("F8 a note from before the last good fetch delays nothing", inBubble(func(t *testing.T) {
		st, s := newMemory(), newServer(publish(a))
		c, other := open(t, s, shared(st)), open(t, s, shared(st))
		pass(time.Second)
		s.serve(limited)
		require.Error(t, other.Refresh(t.Context()))
		pass(time.Second)
		s.serve(publish(a))
		require.NoError(t, other.Refresh(t.Context()))
		pass(11 * time.Second)
		s.serve(publish(a, b))
		keys, err := lookupTakes(t, t.Context(), c, "b", 0)
		require.NoError(t, err)
		assert.Len(t, keys, 1)
	}))

	t.Run("F2 F8 a note about another issuer delays nothing", inBubble(func(t *testing.T) {
		st, elsewhere, s := newMemory(), newMemory(), newServer(publish(a))
		c := open(t, s, shared(st))
		pass(time.Second)
		const otherURL = "https://other.example/jwks"
		s.at(otherURL, publish(b))
		other, err := jwkscache.ForURL(otherURL, configFor(s, shared(elsewhere)))
		require.NoError(t, err)
		pass(time.Second)
		s.at(otherURL, limited)
		require.Error(t, other.Refresh(t.Context()))
		pass(time.Second)
		require.NoError(t, other.Close())
		note, err := elsewhere.Load(t.Context(), elsewhere.name()+"-failed")
		require.NoError(t, err)
		require.NotEmpty(t, note)
		require.NoError(t, st.Save(t.Context(), st.name()+"-failed", note))
		s.serve(publish(a, b))
		keys, err := lookupTakes(t, t.Context(), c, "b", 0)
		require.NoError(t, err)
		assert.Len(t, keys, 1)
		assert.Error(t, c.Stats().Store.LastError)
	}))
}
