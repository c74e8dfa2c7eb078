package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

const name = "0123456789abcdef"

func newStore(t *testing.T, s *redisServer, cfg redisstore.StoreConfig) jwkscache.Store {
	t.Helper()
	return redisstore.NewStore(s.client(t), cfg)
}

func TestStore(t *testing.T) {
	bubble(t, "D2 what one replica saves another loads", func(t *testing.T) {
		s := newServer(t)
		a, b := newStore(t, s, redisstore.StoreConfig{}), newStore(t, s, redisstore.StoreConfig{})
		doc, err := a.Load(t.Context(), name)
		require.NoError(t, err)
		assert.Nil(t, doc)
		for _, want := range [][]byte{[]byte("\x00\xff, binary"), bytes.Repeat([]byte("x"), 1200<<10), []byte("shorter")} {
			require.NoError(t, a.Save(t.Context(), name, want))
			doc, err = b.Load(t.Context(), name)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(want, doc))
		}
		doc, err = b.Load(t.Context(), "another")
		require.NoError(t, err)
		assert.Nil(t, doc)
	})
	bubble(t, "D2 stores with another prefix have other documents", func(t *testing.T) {
		s := newServer(t)
		a, b := newStore(t, s, redisstore.StoreConfig{}), newStore(t, s, redisstore.StoreConfig{Prefix: "staging:"})
		require.NoError(t, a.Save(t.Context(), name, []byte("a")))
		doc, err := b.Load(t.Context(), name)
		require.NoError(t, err)
		assert.Nil(t, doc)
		first, err := a.Lease(t.Context(), name, time.Minute)
		require.NoError(t, err)
		require.True(t, first)
		first, err = b.Lease(t.Context(), name, time.Minute)
		require.NoError(t, err)
		assert.True(t, first)
		assert.Equal(t, []string{"jwtguard:keys:" + name, "jwtguard:lease:" + name, "staging:lease:" + name}, s.Keys())
	})
	bubble(t, "D2 nothing stays in Redis", func(t *testing.T) {
		s := newServer(t)
		a := newStore(t, s, redisstore.StoreConfig{})
		require.NoError(t, a.Save(t.Context(), name, []byte("a")))
		_, err := a.Lease(t.Context(), name, time.Minute)
		require.NoError(t, err)
		time.Sleep(48*time.Hour - time.Second)
		doc, err := a.Load(t.Context(), name)
		require.NoError(t, err)
		assert.Equal(t, []byte("a"), doc)
		time.Sleep(time.Second)
		assert.Empty(t, s.Keys())
	})
	bubble(t, "D2 one fetches until the lease ends", func(t *testing.T) {
		s := newServer(t)
		a, b := newStore(t, s, redisstore.StoreConfig{}), newStore(t, s, redisstore.StoreConfig{})
		lease := func(s jwkscache.Store, d time.Duration, want bool) {
			t.Helper()
			first, err := s.Lease(t.Context(), name, d)
			require.NoError(t, err)
			assert.Equal(t, want, first)
		}
		lease(a, 10*time.Second, true)
		lease(b, 10*time.Second, false)
		lease(a, 10*time.Second, false)
		time.Sleep(10*time.Second - time.Millisecond)
		lease(b, 10*time.Second, false)
		time.Sleep(time.Millisecond)
		lease(b, time.Nanosecond, true) // rounded up
		lease(a, 10*time.Second, false)
		time.Sleep(time.Millisecond)
		lease(b, time.Millisecond+1, true)
		time.Sleep(2*time.Millisecond - 1)
		lease(a, 10*time.Second, false)
		time.Sleep(time.Nanosecond)
		s.loseAnswerTo("SET")
		lease(a, 10*time.Second, true)
		assert.Nil(t, s.lose.Load())
	})
	bubble(t, "D2 a huge value is not read", func(t *testing.T) {
		s := newServer(t)
		a := newStore(t, s, redisstore.StoreConfig{})
		huge := bytes.Repeat([]byte("x"), 16<<20)
		require.Error(t, a.Save(t.Context(), name, huge))
		require.NoError(t, s.Set("jwtguard:keys:"+name, string(huge)))
		_, err := a.Load(t.Context(), name)
		require.ErrorContains(t, err, "more than 2097152 bytes")
		assert.Less(t, s.received.Load(), int64(3<<20))
	})
	bubble(t, "D2 rubbish is an error", func(t *testing.T) {
		s := newServer(t)
		a := newStore(t, s, redisstore.StoreConfig{})
		for _, key := range []string{"jwtguard:keys:" + name, "jwtguard:lease:" + name} {
			_, err := s.Lpush(key, "a list")
			require.NoError(t, err)
		}
		_, err := a.Load(t.Context(), name)
		require.ErrorContains(t, err, "WRONGTYPE")
		_, err = a.Lease(t.Context(), name, time.Minute)
		require.ErrorContains(t, err, "WRONGTYPE")
		require.NoError(t, a.Save(t.Context(), name, []byte("a")), "replaces it")
	})
	bubble(t, "D2 each call waits for one second", func(t *testing.T) {
		s := newServer(t)
		a := newStore(t, s, redisstore.StoreConfig{})
		_, err := a.Load(t.Context(), name)
		require.NoError(t, err)
		s.hangs.Store(true)
		for _, call := range []func() error{
			func() error { _, err := a.Load(t.Context(), name); return err },
			func() error { return a.Save(t.Context(), name, []byte("a")) },
			func() error { _, err := a.Lease(t.Context(), name, time.Minute); return err },
		} {
			start := time.Now()
			require.ErrorIs(t, call(), context.DeadlineExceeded)
			assert.Equal(t, time.Second, time.Since(start))
		}
		s.hangs.Store(false)
		s.stop()
		_, err = a.Load(t.Context(), name)
		require.True(t, errors.Is(err, errGone), err)
	})
}

func TestNewStorePanics(t *testing.T) {
	for name, test := range clients(t) {
		t.Run("D1 "+name, func(t *testing.T) {
			if test.want == "" {
				assert.NotNil(t, redisstore.NewStore(test.client, redisstore.StoreConfig{}))
				return
			}
			defer func() { assert.Contains(t, recover(), test.want) }()
			redisstore.NewStore(test.client, redisstore.StoreConfig{})
		})
	}
}
