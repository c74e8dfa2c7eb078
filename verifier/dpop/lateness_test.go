package dpop_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
)

// A rule that takes long must not outlast the memory of a proof.
func TestSlowRules(t *testing.T) {
	slow := verifier.Check(func(context.Context, *verifier.Token) error {
		time.Sleep(7 * time.Second)
		return nil
	})
	for name, cfg := range map[string]dpop.Config{
		"B4 by iat":    {},
		"B4 by nonces": {NonceSecrets: [][]byte{secret("a")}, NonceLifetime: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, cfg)
				a := s.attempt()
				if cfg.NonceSecrets != nil {
					cfg.Origins = []string{api}
					a.claims["nonce"] = text(dpop.NonceAt(cfg, time.Now()))
				}
				r := a.request()
				require.Nil(t, s.send(r))
				replays := 0
				for s.send(r.Clone(context.Background())).Reason == verifier.ErrReplay {
					// The last of these is confirmed just before the proof expires.
					refused(t, s.send(r.Clone(context.Background()), slow), verifier.ErrReplay, "")
					replays++
				}
				assert.Positive(t, replays)
			})
		})
	}
	t.Run("B4 a store that the proof reaches too late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := dpop.NewMemory(0)
			now := time.Now()
			isNew, err := store.Record(t.Context(), sum("p"), sum("c"), now.Add(-2*time.Second))
			require.NoError(t, err)
			assert.False(t, isNew, "it may have been forgotten")
		})
	})
}

// A clock can be set, in either direction.
func TestClockSet(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	for _, row := range []struct {
		name  string
		set   time.Duration // after 70 s
		again bool          // the first proof, which has expired before that
		room  bool          // for a proof that is good for a minute, twice
	}{
		{"back by 30 s", -30 * time.Second, false, true},
		{"back by 59 s", -59 * time.Second, false, true},
		{"back by 2 hours", -2 * time.Hour, true, true},
		{"back by a day", -24 * time.Hour, true, true},
		{"forward by a day", 24 * time.Hour, false, true},
	} {
		t.Run("B4 "+row.name, func(t *testing.T) {
			now := start
			store := dpop.NewMemoryAt(64, func() time.Time { return now })
			record := func(name string, lifetime time.Duration) bool {
				isNew, err := store.Record(t.Context(), sum("%s", name), sum("%s", name), now.Add(lifetime))
				require.NoError(t, err)
				return isNew
			}
			require.True(t, record("first", 65*time.Second))
			now = now.Add(70 * time.Second)
			require.True(t, record("second", time.Hour))
			now = now.Add(row.set)
			isNew, err := store.Record(t.Context(), sum("first"), sum("first"), start.Add(65*time.Second))
			require.NoError(t, err)
			assert.Equal(t, row.again, isNew)
			if row.set < 0 && row.set > -3*time.Hour {
				assert.False(t, record("second", time.Hour), "what is remembered stays so")
			}
			for i := range 200 { // more than there is room for at once
				require.Equal(t, row.room, record(fmt.Sprint("later ", i), time.Minute), i)
				require.False(t, record(fmt.Sprint("later ", i), time.Minute), i)
				now = now.Add(2 * time.Second)
			}
			assert.LessOrEqual(t, store.Stats().Proofs, 34)
		})
	}
}

func TestVeryLargeStore(t *testing.T) {
	isNew, err := dpop.NewMemory(math.MaxInt).Record(t.Context(), sum("p"), sum("c"), time.Now().Add(time.Minute))
	require.NoError(t, err)
	assert.True(t, isNew, "B4")
}
