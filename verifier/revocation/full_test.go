package revocation_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// id is an Entry that ends in life.
func id(n int, life time.Duration) revocation.Entry {
	return revocation.Entry{Issuer: issuer, TokenID: fmt.Sprint(n), Expires: time.Now().Add(life - 5*time.Minute).UTC()}
}

// A full list takes nothing more, forgets nothing, and says so.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t, revocation.Config{MaxEntries: 3})
		first, second := id(1, time.Minute), id(2, time.Hour)
		revoke(t, l, first, second)
		require.NoError(t, l.Health())

		err := l.Revoke(ctx, id(3, time.Hour), id(3, time.Hour), id(4, 10*time.Minute))
		require.ErrorIs(t, err, revocation.ErrFull, "L4")
		require.EqualError(t, err, "revocation: the revocation list is full: 2 of 3 entries, and 2 are to be added")
		assert.ElementsMatch(t, []revocation.Entry{first, second}, l.Entries(), "L4 all or none")
		require.ErrorIs(t, l.Health(), revocation.ErrFull, "L4")
		require.EqualError(t, l.Stats().Err, "revocation: the revocation list is full: 2 of 3 entries, and 2 were refused")
		assert.False(t, l.Stats().Refuses)

		revoke(t, l, id(3, 50*time.Second))
		require.Equal(t, 3, l.Stats().Entries)
		require.ErrorIs(t, l.Health(), revocation.ErrFull, "L4 not all of what was refused")
		revoke(t, l, id(3, 50*time.Second), id(2, time.Hour), first)
		require.ErrorIs(t, l.Health(), revocation.ErrFull, "L4 what is in the list takes no room")
		require.ErrorIs(t, l.Revoke(ctx, id(5, time.Hour)), revocation.ErrFull)
		require.EqualError(t, l.Health(), "revocation: the revocation list is full: 3 of 3 entries, and 2 were refused")

		time.Sleep(time.Minute)
		require.Equal(t, 1, l.Stats().Entries)
		require.ErrorIs(t, l.Health(), revocation.ErrFull, "L4 there is room, but nothing was added")
		revoke(t, l, id(3, time.Hour), id(4, time.Hour))
		require.NoError(t, l.Health(), "L4 there was room")
	})
	t.Run("until it would have ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newList(t, revocation.Config{MaxEntries: 1})
			revoke(t, l, id(1, time.Hour))
			require.Error(t, l.Revoke(ctx, id(2, 10*time.Minute), id(3, 20*time.Minute), id(4, 5*time.Minute)))
			require.Error(t, l.Revoke(ctx, id(2, 10*time.Minute)))
			time.Sleep(20*time.Minute - 1)
			require.ErrorIs(t, l.Health(), revocation.ErrFull, "L4")
			time.Sleep(time.Nanosecond)
			require.NoError(t, l.Health(), "L4")
		})
	})
	t.Run("one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newList(t, revocation.Config{MaxEntries: 1})
			require.ErrorIs(t, l.Revoke(ctx, id(1, time.Millisecond), id(2, time.Millisecond)), revocation.ErrFull, "L4")
			time.Sleep(time.Millisecond)
			revoke(t, l, id(1, time.Hour))
			require.NoError(t, l.Health())
			require.Error(t, l.Revoke(ctx, id(2, time.Hour)))
			require.ErrorIs(t, l.Health(), revocation.ErrFull, "L4")
		})
	})
	t.Run("entries that have ended", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newList(t, revocation.Config{MaxEntries: 1})
			revoke(t, l, id(1, 0), id(2, time.Minute), id(3, -time.Hour), id(4, 0))
			assert.Equal(t, 1, l.Stats().Entries, "L4 take no room")
			var ended []revocation.Entry
			for i := range 100 {
				ended = append(ended, id(i+10, 0), id(i+200, -time.Hour))
			}
			revoke(t, l, ended...)
			assert.Equal(t, 8, revocation.Buckets(l), "L4 and no memory")
			time.Sleep(time.Minute)
			revoke(t, l, id(5, time.Minute))
			assert.Equal(t, 1, l.Stats().Entries)
		})
	})
}

// A list of at most 2,000 entries at a time takes the memory of 2,000, however many there were.
func TestFlatMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heap := func() int {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int(m.HeapAlloc)
		}
		l := newList(t, revocation.Config{})
		first, after := heap(), 0
		for i := range 300_000 {
			revoke(t, l, id(i, time.Second+time.Duration(i%1000)*time.Millisecond))
			if i%1000 == 999 {
				time.Sleep(time.Second)
			}
			if i == 100_000 {
				after = heap()
			}
		}
		assert.Less(t, heap(), after+1<<20, "L4")
		require.Equal(t, 999, l.Stats().Entries)

		fill(t, l, 90_000)
		require.Greater(t, heap(), first+9<<20)
		time.Sleep(2 * time.Hour)
		require.Zero(t, l.Stats().Entries)
		assert.Less(t, heap(), first+4<<20, "L4 the table shrinks again")
		runtime.KeepAlive(l)
	})
}

// Tables of every size, while they grow and shrink.
func TestSizes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 300
		tokens := make([]*verifier.Token, most)
		for i := range tokens {
			tokens[i] = verifiertest.NewToken(verifiertest.Claims{"jti": fmt.Sprint(i), "exp": forever})
		}
		l := newList(t, revocation.Config{})
		for i := range tokens {
			revoke(t, l, id(i, time.Duration(most+i)*time.Second))
			for j := range tokens {
				require.Equal(t, j <= i, revoked(t, l, tokens[j]))
			}
		}
		time.Sleep(most*time.Second - 1)
		for i := range tokens {
			require.Equal(t, most-i, l.Stats().Entries)
			for j := range tokens {
				if is, err := l.Revoked(ctx, tokens[j]); is != (j >= i) || err != nil {
					t.Fatal(i, j, is, err)
				}
			}
			time.Sleep(time.Second)
		}
	})
}

// Asking takes no lock and does not allocate, whatever the answer.
func TestCost(t *testing.T) {
	tok := alice()
	for _, row := range lists {
		l := newList(t, revocation.Config{})
		fill(t, l, min(row.entries, 1000))
		revoke(t, l, row.more...)
		unlock := revocation.Lock(l) // a deadlock follows if it takes one
		assert.Equal(t, row.revoked, revoked(t, l, tok), row.name)
		assert.Zero(t, testing.AllocsPerRun(100, func() { _, _ = l.Revoked(ctx, tok) }), "L5 "+row.name)
		unlock()
	}
}

// The table has a bucket for two to four entries, when it has many, and kinds of entries
// that are not there cost nothing.
func TestSpeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newList(t, revocation.Config{})
		size := func(n int) int {
			require.Equal(t, n, l.Stats().Entries)
			return revocation.Buckets(l)
		}
		add := func(from, to int, life time.Duration) {
			for i := from; i < to; i++ {
				revoke(t, l, id(i, life))
			}
		}
		assert.Equal(t, 8, size(0), "L5")
		add(0, 7, 10*time.Minute)
		add(7, 32, 6*time.Minute)
		assert.Equal(t, 8, size(32), "L5")
		add(32, 33, 5*time.Minute)
		assert.Equal(t, 16, size(33), "L5")
		time.Sleep(5 * time.Minute)
		assert.Equal(t, 16, size(32), "L5")
		time.Sleep(time.Minute)
		assert.Equal(t, 8, size(7), "L5")
		add(7, 64, 10*time.Minute)
		assert.Equal(t, 16, size(64), "L5")
		add(64, 65, 3*time.Minute)
		assert.Equal(t, 32, size(65), "L5")
		add(65, 127, 3*time.Minute)
		add(127, 128, 2*time.Minute)
		add(128, 513, time.Minute)
		assert.Equal(t, 256, size(513), "L5")
		time.Sleep(time.Minute)
		assert.Equal(t, 256, size(128), "L5")
		time.Sleep(time.Minute)
		assert.Equal(t, 64, size(127), "L5 less than half an entry for each of 256")
		time.Sleep(time.Hour)
		assert.Equal(t, 8, size(0), "L5")

		for i, e := range []revocation.Entry{{}, {TokenID: "x"}, {Subject: "x"}, {ClientID: "x"}, {Subject: "x", ClientID: "x"}} {
			e.Issuer = issuer
			revoke(t, l, e, e)
			assert.Equal(t, i+1, revocation.Kinds(l), "L5")
			time.Sleep(time.Second)
		}
		time.Sleep(70*time.Minute - 5*time.Second)
		for i := range 5 {
			assert.Equal(t, 4-i, l.Stats().Entries)
			assert.Equal(t, 4-i, revocation.Kinds(l), "L5")
			time.Sleep(time.Second)
		}
	})
}
