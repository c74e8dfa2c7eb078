package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func TestRevocationsAndHostileWriters(t *testing.T) {
	bubble(t, "D8 whoever asks for a check all the time does not make replicas count all the time", func(t *testing.T) {
		s := newServer(t)
		r := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, r.Ready(t.Context()))
		time.Sleep(time.Second)
		before := scripts(s)
		c := s.client(t)
		for range 1000 {
			require.NoError(t, c.Eval(t.Context(), `
				local k = redis.call('GET', KEYS[1]) .. 'x'
				if #k > 50 then k = 'x' end
				redis.call('XADD', KEYS[2], 'MAXLEN', '100', '*', 'k', k, 'p', redis.call('GET', KEYS[1]), 'check', '1')
				redis.call('SET', KEYS[1], k)
				return 1`, []string{keyHead, keyLog}).Err())
			time.Sleep(10 * time.Millisecond)
		}
		assert.LessOrEqual(t, scripts(s)-before-1000, 15, "in ten seconds")
	})
	bubble(t, "D5 a replica whose clock is ahead locks nobody out again and again", func(t *testing.T) {
		s := newServer(t)
		r := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, r.Ready(t.Context()))
		// What Revoke of a replica sends whose clock is a year ahead.
		future := time.Now().Add(365 * 24 * time.Hour).UnixMilli()
		require.NoError(t, redisstore.Publish.Run(t.Context(), s.client(t), []string{keyHead, keyLog, keyEntries, keyEnds},
			"a key", future, "entries", fmt.Sprintf(`{"iss":%q,"sub":"alice"}`, issuer), fmt.Sprintf("%d %d", future, future+3600_000)).Err())
		time.Sleep(time.Hour)
		late := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, late.Ready(t.Context()))
		for _, r := range []*replica{r, late} {
			revoked, err := r.Revoked(t.Context(), verifiertest.NewToken(verifiertest.Claims{
				"iss": issuer, "sub": "alice", "iat": time.Now().Add(-time.Minute).Unix(), "exp": time.Now().Add(time.Hour).Unix(),
			}))
			require.NoError(t, err)
			assert.False(t, revoked)
		}
	})
}

func scripts(s *redisServer) int { return s.count("EVALSHA") + s.count("EVAL") }

func TestReplaysThatTheFallbackDoesNotKnow(t *testing.T) {
	bubble(t, "D4 what was accepted while the fallback was full is not accepted again by it", func(t *testing.T) {
		s := newServer(t)
		r := newReplays(t, s, redisstore.ReplayConfig{Fallback: dpop.NewMemory(1)})
		isNew, err := r.Record(t.Context(), proof(0), anyClient, time.Now().Add(10*time.Second))
		require.NoError(t, err)
		require.True(t, isNew)
		isNew, err = record(t, r, 1) // the fallback has no room for it
		require.NoError(t, err)
		require.True(t, isNew)
		time.Sleep(20 * time.Second) // now it has
		s.stop()
		isNew, err = r.Record(t.Context(), proof(1), anyClient, time.Now().Add(45*time.Second))
		require.ErrorIs(t, err, dpop.ErrFull)
		assert.False(t, isNew)
		assert.Equal(t, 1, r.Stats().Full)

		time.Sleep(46 * time.Second) // it can be used no more
		isNew, err = record(t, r, 2)
		require.NoError(t, err)
		assert.True(t, isNew)
	})
}
