package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
)

func TestRevocationsWhileRedisIsAway(t *testing.T) {
	bubble(t, "D7 what was known stays, and what is added is published afterwards", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 3, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("before")))
		time.Sleep(time.Millisecond)
		s.stop()
		for i, r := range all {
			start := time.Now()
			err := r.Revoke(t.Context(), tokenID(fmt.Sprint("meanwhile ", i)))
			require.ErrorIs(t, err, redisstore.ErrNotPublished)
			assert.LessOrEqual(t, time.Since(start), time.Second)
			assert.True(t, r.revokes(t, fmt.Sprint("meanwhile ", i)))
		}
		time.Sleep(time.Hour / 2)
		for _, r := range all {
			assert.True(t, r.revokes(t, "before"))
			require.ErrorContains(t, r.Health(), "connection refused")
			stats := r.Stats()
			assert.InDelta(t, 30*time.Minute, stats.Age, float64(5*time.Second))
			assert.False(t, stats.Refuses)
			assert.Equal(t, 2, stats.Entries)
		}
		s.start()
		time.Sleep(15 * time.Second)
		agree(t, 4, all...)
		for _, r := range all {
			assert.LessOrEqual(t, r.Stats().Age, 1100*time.Millisecond)
			require.NoError(t, r.Close(), "all is published")
		}
	})
	for round := range 20 { // the replicas try at different times
		bubble(t, fmt.Sprint("D7 an empty Redis gets first what nobody else knows ", round), func(t *testing.T) {
			s := newServer(t)
			all := replicas(t, s, 3, redisstore.RevocationConfig{})
			require.NoError(t, all[0].Revoke(t.Context(), tokenID("before")))
			time.Sleep(10 * time.Second)
			s.stop()
			s.FlushAll()
			require.ErrorIs(t, all[1].Revoke(t.Context(), tokenID("meanwhile")), redisstore.ErrNotPublished)
			time.Sleep(10 * time.Second)
			s.start()
			time.Sleep(3 * time.Second)
			for _, r := range all {
				assert.True(t, r.revokes(t, "meanwhile"))
			}
			time.Sleep(15 * time.Second)
			agree(t, 2, all...)
		})
	}
	bubble(t, "D7 Refuse refuses from MaxAge on, until Redis is back", func(t *testing.T) {
		s := newServer(t)
		r := replicas(t, s, 1, redisstore.RevocationConfig{WhileAway: redisstore.Refuse, MaxAge: 10 * time.Second})[0]
		refuses := func(want bool) {
			t.Helper()
			_, err := r.Revoked(t.Context(), nil)
			if want {
				require.ErrorContains(t, err, "older than 10s")
				require.ErrorContains(t, r.Health(), "older than 10s")
			} else {
				require.ErrorContains(t, err, "the token was not returned by a Verifier", "the list's own error")
			}
			assert.Equal(t, want, r.Stats().Refuses)
		}
		time.Sleep(time.Hour)
		refuses(false)
		assert.LessOrEqual(t, r.Stats().Age, time.Second)
		s.stop()
		time.Sleep(8 * time.Second)
		refuses(false)
		time.Sleep(3 * time.Second)
		refuses(true)
		s.start()
		time.Sleep(2 * time.Second)
		refuses(false)
	})
	bubble(t, "D7 Refuse refuses before the list was read", func(t *testing.T) {
		s := newServer(t)
		s.stop()
		r := newReplica(t, s, redisstore.RevocationConfig{WhileAway: redisstore.Refuse, MaxAge: time.Hour})
		kept := newReplica(t, s, redisstore.RevocationConfig{})
		assert.True(t, r.Stats().Refuses)
		_, err := r.Revoked(t.Context(), nil)
		require.ErrorContains(t, err, "never read")
		assert.False(t, kept.revokes(t, "a"), "KeepServing is chosen by name")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = r.Ready(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "connection refused")
		assert.NotContains(t, r.Health().Error(), "\n", "one line of a log")
		s.start()
		require.NoError(t, r.Ready(t.Context()))
		assert.False(t, r.Stats().Refuses)
	})
	bubble(t, "D7 a Redis that hangs is away", func(t *testing.T) {
		s := newServer(t)
		r := replicas(t, s, 1, redisstore.RevocationConfig{})[0]
		s.hangs.Store(true)
		defer s.hangs.Store(false)
		time.Sleep(time.Minute)
		assert.GreaterOrEqual(t, r.Stats().Age, 59*time.Second)
		require.ErrorIs(t, r.Health(), context.DeadlineExceeded)
		require.ErrorContains(t, r.Health(), "no response of Redis in time")
		start := time.Now()
		require.ErrorIs(t, r.Revoke(t.Context(), tokenID("a")), redisstore.ErrNotPublished)
		assert.Equal(t, time.Second, time.Since(start))
		start = time.Now()
		require.ErrorIs(t, r.Close(), redisstore.ErrNotPublished)
		assert.LessOrEqual(t, time.Since(start), 3*time.Second)
	})
	bubble(t, "D7 a Redis that cannot be written to is read", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("a")))
		time.Sleep(time.Millisecond)
		s.full.Store(true)
		for range 3 {
			require.ErrorIs(t, all[0].Revoke(t.Context(), tokenID("b")), redisstore.ErrNotPublished)
		}
		hscans := s.count("HSCAN")
		time.Sleep(10 * time.Minute)
		assert.Less(t, s.count("HSCAN")-hscans, 400)
		require.ErrorIs(t, all[0].Health(), redisstore.ErrNotPublished)
		require.ErrorContains(t, all[0].Health(), "OOM")
		assert.LessOrEqual(t, all[0].Stats().Age, 1100*time.Millisecond)
		require.NoError(t, all[1].Health())
		s.full.Store(false)
		time.Sleep(10 * time.Second)
		agree(t, 2, all...)
	})
	bubble(t, "D7 changes are logged, once each", func(t *testing.T) {
		s := newServer(t)
		var log bytes.Buffer
		r := newReplica(t, s, redisstore.RevocationConfig{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
		require.NoError(t, r.Ready(t.Context()))
		s.stop()
		time.Sleep(time.Hour)
		require.Error(t, r.Revoke(t.Context(), tokenID("a")))
		s.start()
		time.Sleep(time.Minute)
		require.NoError(t, r.Close())
		for _, text := range []string{"not exchanged", "closed pipe", "is back", "published again"} {
			assert.Equal(t, 1, strings.Count(log.String(), text), "%s in\n%s", text, &log)
		}
		assert.Contains(t, log.String(), `"while_away":"KeepServing"`)
		assert.Contains(t, log.String(), `"entries":1`)
		assert.Equal(t, 3, strings.Count(log.String(), "\n"), "%s", &log)
	})
}
