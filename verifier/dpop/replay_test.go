package dpop_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/jwttest"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

func sum(format string, args ...any) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, format, args...))
}

func TestReplay(t *testing.T) {
	t.Run("B4 a proof admits one request, until it is too old", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, dpop.Config{})
			r := s.attempt().request()
			require.Nil(t, s.send(r))
			for range 13 {
				w := refused(t, s.send(r), verifier.ErrReplay, "used before")
				assert.Contains(t, challenges(w), `DPoP realm="api", error="invalid_dpop_proof", error_description="The DPoP proof is missing or not valid."`)
				time.Sleep(5 * time.Second)
			}
			refused(t, s.send(r), verifier.ErrReplay, "") // after 65 s, the last moment
			time.Sleep(time.Second)
			refused(t, s.send(r), verifier.ErrProof, "more than Window and Skew")
		})
	})
	t.Run("B4 one of many at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, dpop.Config{})
			r := s.attempt().request()
			var admitted atomic.Int32
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					if s.send(r.Clone(context.Background())) == nil {
						admitted.Add(1)
					}
				})
			}
			all.Wait()
			assert.Equal(t, int32(1), admitted.Load())
		})
	})
	t.Run("B4 the jti of another key is another proof", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, dpop.Config{})
			require.Nil(t, s.send(s.attempt().request()))
			s.client, s.n = jwttest.NewSigner("ES256"), 0
			s.token = s.bound(jwkOf(s.client))
			require.Nil(t, s.send(s.attempt().request()))
		})
	})
	t.Run("B4 another address, the same jti", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, dpop.Config{})
			require.Nil(t, s.send(s.attempt().request()))
			a := s.attempt()
			a.claims["jti"], a.uri, a.claims["htu"] = `"proof-1"`, "/x", text(api+"/x")
			refused(t, s.send(a.request()), verifier.ErrReplay, "")
		})
	})
	t.Run("B4 two Verifiers with one store", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			store := dpop.NewMemory(0)
			s := newScene(t, dpop.Config{Replays: store})
			other := *s
			binding, err := dpop.New(dpop.Config{Origins: []string{api}, Replays: store})
			require.NoError(t, err)
			other.v, err = verifier.Settings{Bindings: []verifier.Binding{binding}}.New(s.iss.Config(api))
			require.NoError(t, err)
			defer other.v.Close()
			r := s.attempt().request()
			require.Nil(t, s.send(r))
			refused(t, other.send(r), verifier.ErrReplay, "")
			assert.Equal(t, dpop.ReplayStats{Proofs: 1, MaxProofs: 1 << 20, Replays: 1}, store.Stats())
		})
	})
}

// A request may pass several Guards, and is no replay of itself.
func TestNestedGuards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, dpop.Config{})
		ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := verifier.Require(r.Context(), verifier.Bound()); err != nil {
				httpauth.Refuse(w, r, err)
			}
			if _, err := s.v.Authenticate(r); err != nil {
				httpauth.Refuse(w, r, err)
			}
		})
		protect := httpauth.Protect(s.v)
		key := httpauth.Guard(func(r *http.Request) (context.Context, error) { return r.Context(), nil })
		either := httpauth.Guard(verifier.FirstOf(s.v.Protect(verifier.Scope("none")), s.v.Protect(verifier.Scope("orders:read"))))
		for name, h := range map[string]http.Handler{
			"two":                     protect(protect(ok)),
			"three":                   protect(httpauth.Optional(s.v)(protect(ok))),
			"another guard between":   protect(key(protect(ok))),
			"an either-or":            either(ok),
			"inside an either-or":     either(protect(ok)),
			"an either-or inside":     protect(either(ok)),
			"Require between":         protect(httpauth.Require(verifier.Scope("orders:read"))(protect(ok))),
			"another guard around it": key(protect(key(protect(ok)))),
		} {
			r := s.attempt().request()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, 200, w.Code, "B4 %s: %s", name, w.Body)
			w = httptest.NewRecorder()
			h.ServeHTTP(w, r)
			assert.Equal(t, 401, w.Code, "B4 %s, the next request", name)
		}
	})
}

// A store without room refuses, and does not forget.
func TestFullStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := dpop.NewMemory(8)
		s := newScene(t, dpop.Config{Replays: store})
		first, second := s.attempt().request(), s.attempt().request()
		require.Nil(t, s.send(first))
		require.Nil(t, s.send(second))
		third := s.attempt().request()
		w := refused(t, s.send(third), verifier.ErrUnavailable, "no room") // a quarter is one client's
		assert.Equal(t, 503, w.Code)
		assert.Equal(t, "5", w.Header().Get("Retry-After"))
		refused(t, s.send(first), verifier.ErrReplay, "")

		thief, stranger := s.client, 0
		for range 3 {
			s.client = jwttest.NewSigner("ES256")
			s.token = s.bound(jwkOf(s.client))
			for range 2 {
				require.Nil(t, s.send(s.attempt().request()), "B4 other clients have room")
				stranger++
			}
		}
		s.client = jwttest.NewSigner("ES256")
		s.token = s.bound(jwkOf(s.client))
		refused(t, s.send(s.attempt().request()), verifier.ErrUnavailable, "no room")
		assert.Equal(t, dpop.ReplayStats{Proofs: 8, MaxProofs: 8, Replays: 1, Full: 2}, store.Stats())
		time.Sleep(67 * time.Second)
		assert.Equal(t, 0, store.Stats().Proofs)
		s.client = thief
		s.token = s.bound(jwkOf(thief))
		require.Nil(t, s.send(s.attempt().request()), "B4 there is room again")
	})
}

// The store against a model that keeps everything.
func TestStoreModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const room = 40
		store := dpop.NewMemory(room)
		type used struct {
			client int
			until  time.Time
		}
		model := map[int]used{}
		random := rand.New(rand.NewPCG(1, 2))
		ctx := context.Background()
		full, replays := 0, 0
		for step := range 20_000 {
			now := time.Now()
			if random.IntN(3) == 0 {
				time.Sleep(time.Duration(random.IntN(3000)) * time.Millisecond)
				now = time.Now()
			}
			proof, client := random.IntN(120), random.IntN(6)
			proof = proof*6 + client
			until := now.Add(time.Duration(random.IntN(60)-5) * time.Second)
			total, own := 0, 0
			for p, u := range model {
				if u.until.Unix()+1 <= now.Unix() {
					delete(model, p)
					continue
				}
				total++
				if u.client == client {
					own++
				}
			}
			isNew, err := store.Record(ctx, sum("p%d", proof), sum("c%d", client), until)
			_, known := model[proof]
			switch {
			case known, until.Unix()+1 <= now.Unix():
				replays++
				require.NoError(t, err, step)
				require.False(t, isNew, step)
			case total >= room || own >= room/4:
				full++
				require.ErrorIs(t, err, dpop.ErrFull, step)
				require.False(t, isNew, step)
			default:
				require.NoError(t, err, step)
				require.True(t, isNew, step)
				model[proof] = used{client, until}
			}
			if step%100 == 0 {
				live := 0
				for _, u := range model {
					if u.until.Unix()+1 > now.Unix() {
						live++
					}
				}
				require.Equal(t, dpop.ReplayStats{Proofs: live, MaxProofs: room, Replays: replays, Full: full}, store.Stats(), step)
			}
		}
		assert.Positive(t, full)
		assert.Positive(t, replays)
	})
}

// A million proofs through a store of a hundred thousand: its memory is that of a
// hundred thousand.
func TestFlatMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := dpop.NewMemory(100_000)
		ctx := context.Background()
		heap := func() uint64 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		var first uint64
		for i := range 1_000_000 {
			_, err := store.Record(ctx, sum("%d", i), sum("%d", i%1000), time.Now().Add(65*time.Second))
			if err != nil {
				require.ErrorIs(t, err, dpop.ErrFull)
			}
			if i%1000 == 999 {
				time.Sleep(time.Second) // 65,000 are remembered at a time
			}
			if i == 200_000 {
				first = heap()
			}
		}
		assert.Less(t, heap(), first+4<<20, "B4")
		assert.Zero(t, store.Stats().Full)
		runtime.KeepAlive(store)
	})
}

type brokenStore struct{ err error }

func (b brokenStore) Record(context.Context, [32]byte, [32]byte, time.Time) (bool, error) {
	return true, b.err
}
func (b brokenStore) Stats() dpop.ReplayStats { return dpop.ReplayStats{} }

func TestBrokenStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, dpop.Config{Replays: brokenStore{errors.New("connection refused")}})
		w := refused(t, s.send(s.attempt().request()), verifier.ErrUnavailable, "connection refused")
		assert.Equal(t, 503, w.Code, "B4")
		assert.NotContains(t, w.Body.String(), "connection")
	})
}

func TestClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := dpop.NewMemory(4)
		ctx := context.Background()
		record := func(n int, until time.Time) bool {
			isNew, err := store.Record(ctx, sum("%d", n), sum("client-%d", n), until)
			require.NoError(t, err)
			return isNew
		}
		require.True(t, record(1, time.Now().Add(time.Minute)))
		require.True(t, record(2, time.Now().Add(time.Second)), "B4 earlier than what is there")
		assert.False(t, record(1, time.Now()))
		assert.False(t, record(2, time.Now()))
		time.Sleep(3 * time.Second)
		assert.True(t, record(2, time.Now().Add(time.Second)))
		assert.False(t, record(1, time.Now()))
	})
}

func BenchmarkRecord(b *testing.B) {
	store := dpop.NewMemory(0)
	ctx := context.Background()
	var n atomic.Int64
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			i := n.Add(1)
			_, _ = store.Record(ctx, sum("%d", i), sum("%d", i%1000), time.Now().Add(time.Minute))
		}
	})
}

// BenchmarkFullStore measures the memory of a full store of the default size.
func BenchmarkFullStore(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	ctx := context.Background()
	for _, clients := range []int{1000, 1 << 20} {
		b.Run(fmt.Sprint(clients, " clients"), func(b *testing.B) {
			var used float64
			for b.Loop() {
				before, until := heap(), time.Now().Add(time.Minute)
				store := dpop.NewMemory(0)
				for i := range 1<<20 + 1<<17 { // more than there is room for, so that every shard is full
					_, _ = store.Record(ctx, sum("%d", i), sum("%d", i%clients), until.Add(time.Duration(i%65)*time.Second))
				}
				used = heap() - before
				require.Equal(b, 1<<20, store.Stats().Proofs)
			}
			b.ReportMetric(used/1e6, "MB")
		})
	}
}

// BenchmarkConfirm compares a request with a proof to the bare signature.
func BenchmarkConfirm(b *testing.B) {
	iss := verifiertest.NewIssuer(b)
	binding, err := dpop.New(dpop.Config{Origins: []string{api}, Replays: brokenStore{}})
	require.NoError(b, err)
	v, err := verifier.Settings{Bindings: []verifier.Binding{binding}}.New(iss.Config(api))
	require.NoError(b, err)
	defer v.Close()
	guard := v.Protect()
	for _, alg := range []string{"ES256", "Ed25519", "RS256"} {
		s := &scene{iss: iss, client: jwttest.NewSigner(alg)}
		s.token = s.bound(jwkOf(s.client))
		a := s.attempt()
		r := a.request()
		b.Run(alg+"/bare", func(b *testing.B) {
			proof := a.proof()
			verify := bare(b, s.client, proof)
			for b.Loop() {
				if !verify() {
					b.Fatal("not verified")
				}
			}
		})
		b.Run(alg+"/proof", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := guard(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestBindingStats(t *testing.T) {
	store := dpop.NewMemory(4096)
	isNew, err := store.Record(t.Context(), [32]byte{1}, [32]byte{2}, time.Now().Add(time.Minute))
	require.NoError(t, err)
	require.True(t, isNew)
	b, err := dpop.New(dpop.Config{Origins: []string{"https://api.example.com"}, Replays: store})
	require.NoError(t, err)
	assert.Equal(t, verifier.ProofStats{Proofs: 1, MaxProofs: 4096}, b.Stats(), "L12 the store's figures")
}
