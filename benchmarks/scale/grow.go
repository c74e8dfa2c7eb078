package scale

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/benchmarks/measure"
	"github.com/seed-12ed5b1c/jwtguard/benchmarks/render"
	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

const iss = "https://login.example.com/"

// grown measures a verification and a hit for each of several sizes, and writes
// both relative to the first size.
func grown(ctx context.Context, e Effort, what string, sizes []int, open func(n, tokenCache int) (*verifier.Verifier, string, error)) (*render.Table, error) {
	var cases []measure.Case
	for _, n := range sizes {
		for _, tokenCache := range []int{-1, 0} {
			v, raw, err := open(n, tokenCache)
			if err != nil {
				return nil, err
			}
			run, err := repeated(ctx, v, raw)
			if err != nil {
				return nil, err
			}
			cases = append(cases, measure.Case{Name: fmt.Sprint(n), Group: what, Run: run, Workers: 1})
		}
	}
	series, err := measure.Rounds(cases, e.Rounds, e.Slice)
	if err != nil {
		return nil, err
	}
	t := &render.Table{Header: []string{what, "verification", "remembered"}}
	for i, n := range sizes {
		t.Add(fmt.Sprint(n), ratio(series[2*i].Ratio(series[0])), ratio(series[2*i+1].Ratio(series[1])))
	}
	return t, nil
}

func tokenSize(ctx context.Context, i *issuer, e Effort) (Part, error) {
	var cases []measure.Case
	var names []string
	for _, size := range []int{512, 1024, 2048, 4096, 8192, 16384} {
		raw := i.token(iss, 0, 0)
		for padding := 0; len(raw) < size-3; padding += max(1, (size-4-len(raw))*3/4) {
			raw = i.token(iss, 0, padding)
		}
		names = append(names, fmt.Sprintf("%.1f KiB", float64(len(raw))/1024))
		off, err := i.open(iss, 1, -1)
		if err != nil {
			return Part{}, err
		}
		on, err := i.open(iss, 1, 0)
		if err != nil {
			return Part{}, err
		}
		verification, err := repeated(ctx, off, raw)
		if err != nil {
			return Part{}, err
		}
		hit, err := repeated(ctx, on, raw)
		if err != nil {
			return Part{}, err
		}
		for _, run := range []measure.Run{i.bare(raw), verification, hit} {
			cases = append(cases, measure.Case{Name: names[len(names)-1], Group: "size", Run: run, Workers: 1})
		}
	}
	series, err := measure.Rounds(cases, e.Rounds, e.Slice)
	if err != nil {
		return Part{}, err
	}
	t := &render.Table{Header: []string{"token", "verification to bare cryptography", "to the first", "remembered to bare cryptography", "to the first"}}
	for n, name := range names {
		bare, verification, hit := series[3*n], series[3*n+1], series[3*n+2]
		t.Add(name, ratio(verification.Ratio(bare)), ratio(verification.Ratio(series[1])), ratio(hit.Ratio(bare)), ratio(hit.Ratio(series[2])))
	}
	return Part{"Size of the token", "A longer token costs more to hash, to decode and to compare: linear, with a small slope.", t}, nil
}

// bare is the cryptography of raw alone.
func (i *issuer) bare(raw string) measure.Run {
	public := i.private.Public().(ed25519.PublicKey)
	op := func(int) error {
		dot := strings.LastIndexByte(raw, '.')
		signature, err := base64.RawURLEncoding.DecodeString(raw[dot+1:])
		if err == nil && !ed25519.Verify(public, []byte(raw[:dot]), signature) {
			err = errors.New("refused")
		}
		return err
	}
	return measure.Run{Begin: func() (measure.Op, error) { return op, nil }}
}

func keysPerIssuer(ctx context.Context, i *issuer, e Effort) (Part, error) {
	raw := i.token(iss, 0, 300)
	t, err := grown(ctx, e, "keys", []int{1, 4, 16, 64, 256}, func(n, tokenCache int) (*verifier.Verifier, string, error) {
		v, err := i.open(iss, n, tokenCache)
		return v, raw, err
	})
	return Part{"Keys of an issuer", "Relative to one key. 256 is the most that a set may have.", t}, err
}

func issuersJoined(ctx context.Context, i *issuer, e Effort) (Part, error) {
	keys, err := jwkscache.Static([]byte(i.keySet(1)))
	if err != nil {
		return Part{}, err
	}
	var memory []string
	t, err := grown(ctx, e, "issuers", e.upTo(1, 10, 100, 1000, 10_000), func(n, tokenCache int) (*verifier.Verifier, string, error) {
		before := heap()
		parts := make([]*verifier.Verifier, n)
		name := func(p int) string { return fmt.Sprintf("%s%d", iss, p) }
		for p := range parts {
			if parts[p], err = open(name(p), keys, tokenCache); err != nil {
				return nil, "", err
			}
		}
		v, err := verifier.Join(parts...)
		clear(parts)
		if tokenCache >= 0 {
			memory = append(memory, fmt.Sprintf("%.1f KiB", max(0, float64(heap())-float64(before))/float64(n)/1024))
		}
		return v, i.token(name(n-1), 0, 300), err
	})
	if err != nil {
		return Part{}, err
	}
	t.Header = append(t.Header, "memory of each")
	for n := range t.Rows {
		t.Rows[n] = append(t.Rows[n], memory[n])
	}
	return Part{"Issuers joined", "Relative to one issuer. The memory is without its keys, which are shared here.", t}, nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
