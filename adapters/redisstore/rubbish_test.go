package redisstore_test

import (
	"context"
	"fmt"
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
