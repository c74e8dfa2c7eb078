package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
)

const (
	keyHead    = "{jwtguard:revocations}:head"
	keyLog     = "{jwtguard:revocations}:log"
	keyEntries = "{jwtguard:revocations}:entries"
	keyEnds    = "{jwtguard:revocations}:ends"
)

// Whatever the server has lost, the lists have what was in one of them, and so has the
// server again.
func TestRevocationsThatRedisHasLost(t *testing.T) {
	// lose publishes entries of which the server loses some. The lists know all of them.
	for name, lose := range map[string]func(t *testing.T, s *redisServer, all []*replica){
		"D6 FLUSHALL": func(_ *testing.T, s *redisServer, _ []*replica) { s.FlushAll() },
		"D6 FLUSHALL, then a message": func(t *testing.T, s *redisServer, all []*replica) {
			s.FlushAll()
			require.NoError(t, all[1].Revoke(t.Context(), tokenID("after")))
		},
		"D6 restarted empty": func(_ *testing.T, s *redisServer, _ []*replica) {
			s.stop()
			s.FlushAll()
			time.Sleep(10 * time.Second)
			s.start()
		},
		"D6 restarted empty, with a clock that is slow": func(t *testing.T, s *redisServer, all []*replica) {
			s.stop()
			s.FlushAll()
			s.SetTime(time.Now().Add(-time.Hour))
			s.start()
			time.Sleep(time.Minute)
			require.NoError(t, all[2].Revoke(t.Context(), tokenID("after")))
		},
		"D6 failed over to a server that lacks the last writes": func(t *testing.T, s *redisServer, all []*replica) {
			failOver(t, s, func() { require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(3, "lost")...)) })
		},
		"D6 failed over, then a message": func(t *testing.T, s *redisServer, all []*replica) {
			failOver(t, s, func() { require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(3, "lost")...)) })
			for all[2].Revoke(t.Context(), tokenID("after")) != nil { // until it has no closed connections
			}
		},
		"D6 only the log is gone": func(t *testing.T, s *redisServer, all []*replica) {
			s.Del(keyLog)
			require.NoError(t, all[0].Revoke(t.Context(), tokenID("after")))
		},
		"D6 only the head is gone":        func(_ *testing.T, s *redisServer, _ []*replica) { s.Del(keyHead) },
		"D6 only the entries are gone":    func(_ *testing.T, s *redisServer, _ []*replica) { s.Del(keyEntries); s.Del(keyEnds) },
		"D6 an entry is gone":             func(t *testing.T, s *redisServer, _ []*replica) { dropEntry(t, s) },
		"D6 an entry ends too early":      func(t *testing.T, s *redisServer, _ []*replica) { shortenEntry(t, s) },
		"D6 everything is gone every 10s": func(_ *testing.T, s *redisServer, _ []*replica) { flushEvery(s, 10*time.Second) },
	} {
		bubble(t, name, func(t *testing.T) {
			s := newServer(t)
			all := replicas(t, s, 3, redisstore.RevocationConfig{})
			for i, r := range all {
				require.NoError(t, r.Revoke(t.Context(), tokenIDs(10, fmt.Sprint("of ", i))...))
			}
			time.Sleep(100 * time.Millisecond)
			agree(t, 30, all...)
			lose(t, s, all)
			time.Sleep(5 * time.Minute)
			n := len(all[0].list.Entries())
			require.GreaterOrEqual(t, n, 30)
			late := newReplica(t, s, redisstore.RevocationConfig{})
			require.NoError(t, late.Ready(t.Context()))
			agree(t, n, append(all, late)...)
			log, err := s.Stream(keyLog)
			if err == nil {
				assert.Less(t, len(log), 20, "what is lost is published once, not by every replica")
			}
		})
	}
}

// failOver loses what f writes.
func failOver(t *testing.T, s *redisServer, f func()) {
	t.Helper()
	c := s.admin(t)
	head := c.Get(t.Context(), keyHead).Val()
	entries := c.HGetAll(t.Context(), keyEntries).Val()
	ends := c.ZRangeWithScores(t.Context(), keyEnds, 0, -1).Val()
	log := c.XRange(t.Context(), keyLog, "-", "+").Val()
	f()
	time.Sleep(time.Millisecond) // all have read it
	s.stop()
	s.FlushAll()
	require.NoError(t, c.Set(t.Context(), keyHead, head, 0).Err())
	require.NoError(t, c.HSet(t.Context(), keyEntries, entries).Err())
	require.NoError(t, c.ZAdd(t.Context(), keyEnds, ends...).Err())
	for _, record := range log {
		require.NoError(t, c.XAdd(t.Context(), &redis.XAddArgs{Stream: keyLog, ID: record.ID, Values: record.Values}).Err())
	}
	s.start()
}

func dropEntry(t *testing.T, s *redisServer) {
	t.Helper()
	names, err := s.HKeys(keyEntries)
	require.NoError(t, err)
	s.HDel(keyEntries, names[0])
	_, err = s.ZRem(keyEnds, names[0])
	require.NoError(t, err)
}

func shortenEntry(t *testing.T, s *redisServer) {
	t.Helper()
	names, err := s.HKeys(keyEntries)
	require.NoError(t, err)
	s.HSet(keyEntries, names[0], "1 1")
	_, err = s.ZAdd(keyEnds, 1, names[0])
	require.NoError(t, err)
}

func flushEvery(s *redisServer, d time.Duration) {
	for range 20 {
		time.Sleep(d)
		s.FlushAll()
	}
}

func TestRevocationsBehindTheLog(t *testing.T) {
	bubble(t, "D6 a log that was trimmed past a replica leaves no gap", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 3, redisstore.RevocationConfig{})
		way := &path{redisServer: s}
		lagging := newReplica(t, way, redisstore.RevocationConfig{})
		require.NoError(t, lagging.Ready(t.Context()))
		before := s.count("HSCAN")
		way.close()
		for i := range 50 {
			require.NoError(t, all[i%3].Revoke(t.Context(), tokenID(fmt.Sprint(i))))
		}
		time.Sleep(time.Millisecond)
		agree(t, 50, all...)
		_, err := s.client(t).XTrimMaxLen(t.Context(), keyLog, 5).Result()
		require.NoError(t, err)
		assert.Empty(t, lagging.list.Entries())
		assert.Equal(t, before, s.count("HSCAN"))
		way.open()
		time.Sleep(3 * time.Second)
		agree(t, 50, append(all, lagging)...)
		assert.Equal(t, before+1, s.count("HSCAN"))
	})
}
