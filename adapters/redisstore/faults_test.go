package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
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
		_, err := s.client(t).XTrimMaxLen(t.Context(), keyLog, 5).Result()
		require.NoError(t, err)
		time.Sleep(time.Millisecond)
		agree(t, 50, all...)
		assert.Empty(t, lagging.list.Entries())
		assert.Equal(t, before, s.count("HSCAN"))
		way.open()
		time.Sleep(3 * time.Second)
		agree(t, 50, append(all, lagging)...)
		assert.Equal(t, before+1, s.count("HSCAN"))
	})
}

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

func TestRevocationsAndRubbish(t *testing.T) {
	bubble(t, "D8 entries that cannot be read are counted and skipped", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		c := s.client(t)
		good := fmt.Sprintf("1 %d", time.Now().Add(time.Hour).UnixMilli())
		rubbish := map[string]string{
			"":                                good,
			"rubbish":                         good,
			"[]":                              good,
			"null":                            good,
			`{}`:                              good,
			`{"iss":7}`:                       good,
			`{"iss":"a"} `:                    good,
			`{"iss":"a"}{"iss":"b"}`:          good,
			`{"iss":"a","sid":"unknown"}`:     good,
			`{"iss":"a","jti":"b","sub":"c"}`: good,
			`{"iss":"` + strings.Repeat("x", 2049) + `"}`:  good,
			`{"iss":"` + strings.Repeat("x", 99999) + `"}`: good,
			`{"iss":"no value"}`:                           "",
			`{"iss":"one"}`:                                "1",
			`{"iss":"three"}`:                              "1 2 3",
			`{"iss":"negative"}`:                           "-1 1",
			`{"iss":"zero"}`:                               "0 0",
			`{"iss":"text"}`:                               "a b",
			`{"iss":"long"}`:                               good + strings.Repeat("0", 1000),
			`{"iss":"beyond"}`:                             "1 253402300799001",
			`{"iss":"always, but not a token"}`:            "253402300799000 253402300799000",
		}
		for name, value := range rubbish {
			require.NoError(t, c.HSet(t.Context(), keyEntries, name, value).Err())
			require.NoError(t, c.ZAdd(t.Context(), keyEnds, redis.Z{Score: 9e14, Member: name}).Err())
		}
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("a")))
		late := newReplica(t, s, redisstore.RevocationConfig{})
		require.NoError(t, late.Ready(t.Context()))
		require.Len(t, late.list.Entries(), 1)
		assert.True(t, late.revokes(t, "a"))
		require.ErrorContains(t, late.Health(), fmt.Sprintf("%d entries in Redis could not be read", len(rubbish)))
		assert.False(t, late.Stats().Refuses)

		// The same in records.
		for name, value := range rubbish {
			if name != "" {
				push(t, c, name, value)
			}
		}
		require.NoError(t, all[1].Revoke(t.Context(), tokenID("b")))
		time.Sleep(time.Millisecond)
		for _, r := range all {
			assert.Len(t, r.list.Entries(), 2)
			assert.Error(t, r.Health())
		}
		before := s.count("HSCAN")
		time.Sleep(time.Hour)
		assert.Less(t, s.count("HSCAN")-before, 3*14, "the comparison of numbers fails all the time")
	})
	bubble(t, "D8 messages that are none", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		c := s.client(t)
		for _, values := range [][]string{
			{"a", "b"}, {"k", ""}, {"k", "x"}, {"k", "x", "p", "y"}, {"k", strings.Repeat("x", 10_000), "p", ""}, {"check", "1"},
		} {
			require.NoError(t, c.XAdd(t.Context(), &redis.XAddArgs{Stream: keyLog, Values: values}).Err())
			time.Sleep(time.Second)
			require.NoError(t, all[0].Revoke(t.Context(), tokenID(fmt.Sprint(values[0], len(values)))))
		}
		require.NoError(t, c.Set(t.Context(), keyHead, strings.Repeat("x", 1<<20), 0).Err())
		time.Sleep(2 * time.Minute)
		require.NoError(t, c.Set(t.Context(), keyHead, "", 0).Err())
		time.Sleep(2 * time.Minute)
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("last")))
		time.Sleep(time.Minute)
		n := len(all[0].list.Entries())
		assert.Equal(t, 5, n)
		agree(t, n, all...)
	})
	for _, key := range []string{keyHead, keyLog, keyEntries, keyEnds} {
		bubble(t, "D8 a key of another type is an error until it is removed: "+key, func(t *testing.T) {
			s := newServer(t)
			all := replicas(t, s, 2, redisstore.RevocationConfig{WhileAway: redisstore.Refuse, MaxAge: 10 * time.Second})
			require.NoError(t, all[0].Revoke(t.Context(), tokenID("a")))
			time.Sleep(time.Second)
			s.Del(key)
			_, err := s.SetAdd(key, "rubbish")
			require.NoError(t, err)
			require.ErrorIs(t, all[0].Revoke(t.Context(), tokenID("b")), redisstore.ErrNotPublished)
			time.Sleep(5 * time.Minute)
			require.ErrorContains(t, all[0].Health(), "WRONGTYPE")
			before := s.commands.Load()
			time.Sleep(time.Minute)
			assert.Less(t, s.commands.Load()-before, int64(2*10*60))
			s.Del(key)
			time.Sleep(2 * time.Minute)
			agree(t, 2, all...)
		})
	}
	bubble(t, "D8 whoever changes the head all the time does not make replicas read everything", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 2, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenID("a")))
		before, bytes := s.count("HSCAN"), s.received.Load()
		for i := range 6000 {
			require.NoError(t, s.Set(keyHead, fmt.Sprint(i)))
			time.Sleep(100 * time.Millisecond)
		}
		assert.Less(t, s.count("HSCAN")-before, 2*40, "in ten minutes")
		assert.Less(t, s.received.Load()-bytes, int64(1<<20))
		time.Sleep(2 * time.Minute)
		agree(t, 1, all...)
	})
	bubble(t, "D8 a full list says so, and takes more when there is room", func(t *testing.T) {
		s := newServer(t)
		a := replicas(t, s, 1, redisstore.RevocationConfig{})[0]
		small := newReplica(t, s, redisstore.RevocationConfig{}, 10)
		require.NoError(t, small.Ready(t.Context()))
		short := tokenIDs(10, "short")
		for i := range short {
			short[i].Expires = time.Now().Add(time.Minute)
		}
		require.NoError(t, a.Revoke(t.Context(), short...))
		require.NoError(t, a.Revoke(t.Context(), tokenID("a"), tokenID("b")))
		time.Sleep(time.Millisecond)
		assert.Len(t, small.list.Entries(), 10)
		require.ErrorIs(t, small.Health(), revocation.ErrFull)
		require.ErrorIs(t, small.Revoke(t.Context(), tokenID("c")), revocation.ErrFull)
		time.Sleep(20 * time.Minute)
		agree(t, 2, small, a)
	})
	bubble(t, "D8 many more entries than the list takes are not all read", func(t *testing.T) {
		s := newServer(t)
		for i := range 6000 {
			s.HSet(keyEntries, fmt.Sprintf(`{"iss":"a","jti":"%d"}`, i), fmt.Sprintf("253402300799000 %d", time.Now().Add(time.Hour).UnixMilli()))
		}
		small := newReplica(t, s, redisstore.RevocationConfig{}, 10)
		time.Sleep(time.Minute)
		require.ErrorIs(t, small.Health(), revocation.ErrFull)
		assert.Len(t, small.list.Entries(), 10)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorContains(t, small.Ready(ctx), "more than four times as many entries")
	})
}

// push adds a message behind the last one.
func push(t *testing.T, c *redis.Client, values ...string) {
	t.Helper()
	args := []any{fmt.Sprint("pushed ", time.Now().UnixNano(), " ", len(values[0]), len(values[1]))}
	for _, v := range values {
		args = append(args, v)
	}
	require.NoError(t, c.Eval(t.Context(), `
		redis.call('XADD', KEYS[2], '*', 'k', ARGV[1], 'p', redis.call('GET', KEYS[1]), ARGV[2], ARGV[3])
		redis.call('SET', KEYS[1], ARGV[1])
		return 1`, []string{keyHead, keyLog}, args...).Err())
	time.Sleep(time.Millisecond)
}

func TestRevocationsCost(t *testing.T) {
	bubble(t, "D9 nothing is read again while nothing is lost", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 3, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(500, "a")...))
		time.Sleep(time.Minute)
		agree(t, 500, all...)
		commands, bytes, hscans := s.commands.Load(), s.received.Load(), s.count("HSCAN")
		time.Sleep(10 * time.Minute)
		assert.Equal(t, hscans, s.count("HSCAN"))
		assert.Less(t, float64(s.commands.Load()-commands)/600/3, 2.1, "commands per second and replica")
		assert.Less(t, float64(s.received.Load()-bytes)/600/3, 100.0, "bytes per second and replica")
	})
	bubble(t, "D9 one replica publishes what Redis has lost, and the others read nothing", func(t *testing.T) {
		s := newServer(t)
		all := replicas(t, s, 10, redisstore.RevocationConfig{})
		require.NoError(t, all[0].Revoke(t.Context(), tokenIDs(500, "a")...))
		time.Sleep(time.Minute)
		agree(t, 500, all...)
		s.FlushAll()
		bytes := s.received.Load()
		time.Sleep(5 * time.Minute)
		agree(t, 500, all...)
		log, err := s.Stream(keyLog)
		require.NoError(t, err)
		assert.Len(t, log, 1)
		assert.Less(t, s.received.Load()-bytes, int64(10*500*100), "bytes")
		names, err := s.HKeys(keyEntries)
		require.NoError(t, err)
		assert.Len(t, names, 500)
	})
	bubble(t, "D9 Close ends within a second", func(t *testing.T) {
		s := newServer(t)
		r := replicas(t, s, 1, redisstore.RevocationConfig{})[0]
		time.Sleep(time.Minute + time.Millisecond)
		synctest.Wait()
		start := time.Now()
		require.NoError(t, r.Close())
		assert.LessOrEqual(t, time.Since(start), time.Second)
		require.NoError(t, r.Close(), "again")
	})
}
