package scale

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"runtime"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// once is from how many tokens on one round must do.
const once = 1_000_000

// roundAndRound sends tokens in turn, and has room for all of them but for the
// bytes.
func roundAndRound(ctx context.Context, e Effort) (Part, error) {
	t := &render.Table{Header: []string{"tokens", "rounds", "hits after the first round", "remembered", "heap grew by"}}
	for _, n := range e.upTo(1000, 4000, 10_000, 100_000, once) {
		l, err := live(ctx, n, 1<<20)
		if err != nil {
			return Part{}, err
		}
		hits := "–"
		if l.rounds > 1 {
			hits = fmt.Sprintf("%.0f %%", 100*l.hits)
		}
		t.Add(fmt.Sprint(n), fmt.Sprint(l.rounds), hits, fmt.Sprint(l.remembered), fmt.Sprintf("%.1f MiB", l.heap/(1<<20)))
	}
	return Part{"Up to a million tokens", "HS256, and `TokenCache: 1<<20`, so that only the 16 MiB bound what is remembered. Tokens are minted as they are sent, and minted again in the next round: the heap is the cache's. A million go round once, so none of them can be a hit.", t}, nil
}

// A lived is what a verifier has become after many tokens.
type lived struct {
	rounds     int
	hits       float64 // the share after the first round
	remembered int
	heap       float64 // bytes more than before
}

func live(ctx context.Context, n, tokenCache int) (l lived, err error) {
	m := newMint()
	v, err := verifier.New(verifier.Config{Issuer: iss, Audiences: []string{audience}, SharedSecret: m.secret, TokenCache: tokenCache})
	if err != nil {
		return lived{}, err
	}
	l.rounds = 1
	if n < once {
		l.rounds += max(1, 40_000/n)
	}
	before := heap()
	var first verifier.Stats
	for round := range l.rounds {
		for k := range n {
			if _, err := v.Verify(ctx, m.token(k)); err != nil {
				return lived{}, err
			}
		}
		if round == 0 {
			first = v.Stats()
		}
	}
	s := v.Stats()
	if sent := s.Hits + s.Misses; sent != n*l.rounds {
		return lived{}, fmt.Errorf("%d tokens sent, %d counted", n*l.rounds, sent)
	}
	if l.rounds > 1 {
		l.hits = float64(s.Hits-first.Hits) / float64(n*(l.rounds-1))
	}
	l.remembered, l.heap = s.Tokens, max(0, float64(heap())-float64(before))
	runtime.KeepAlive(v)
	return l, nil
}

// A mint makes HS256 tokens: the n-th is always the same.
type mint struct {
	secret []byte
	now    int64
}

func newMint() *mint {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return &mint{secret, time.Now().Unix()}
}

func (m *mint) token(n int) string {
	signed := encode(`{"alg":"HS256","typ":"at+jwt"}`) + "." + encode(fmt.Sprintf(
		`{"iss":%q,"aud":%q,"sub":"billing","client_id":"billing","jti":"%d","iat":%d,"exp":%d,"scope":"orders:read"}`,
		iss, audience, n, m.now, m.now+36000))
	mac := hmac.New(sha256.New, m.secret)
	mac.Write([]byte(signed))
	return signed + "." + encode(string(mac.Sum(nil)))
}
