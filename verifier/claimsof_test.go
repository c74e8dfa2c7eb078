package verifier_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestClaimsOf(t *testing.T) {
	v, _ := setup(t)
	tok := verified(t, v, signerOf("ES256").token(nil, members{
		"tenant": `"blue"`, "Tenant": `"red"`, "roles": `["a","b"]`, "Roles": `["c"]`, "level": "7", "plain": `"p"`,
	}))
	t.Run("P2 names are matched exactly", func(t *testing.T) {
		claims, err := verifier.ClaimsOf[struct {
			Lower string   `json:"tenant"`
			Upper string   `json:"Tenant"`
			None  string   `json:"TENANT"`
			Roles []string `json:"roles"`
			Level int      `json:"level"`
			Plain string   // no tag: the name Plain, which the token lacks
		}](tok)
		require.NoError(t, err)
		assert.Equal(t, "blue", claims.Lower)
		assert.Equal(t, "red", claims.Upper)
		assert.Empty(t, claims.None)
		assert.Equal(t, []string{"a", "b"}, claims.Roles)
		assert.Equal(t, 7, claims.Level)
		assert.Empty(t, claims.Plain)
	})
	t.Run("P2 also where Go folds the name", func(t *testing.T) {
		claims, err := verifier.ClaimsOf[struct {
			ROLES []string
			Level int `json:"Level"`
		}](tok)
		require.NoError(t, err)
		assert.Empty(t, claims.ROLES)
		assert.Zero(t, claims.Level)
	})
	t.Run("a map has them all", func(t *testing.T) {
		claims, err := verifier.ClaimsOf[map[string]any](tok)
		require.NoError(t, err)
		assert.Equal(t, []any{"c"}, claims["Roles"])
		assert.Len(t, claims, 14)
	})
	t.Run("claims that do not fit", func(t *testing.T) {
		claims, err := verifier.ClaimsOf[struct {
			Aud    string `json:"aud"`
			Tenant int    `json:"tenant"`
		}](tok)
		require.Error(t, err)
		assert.True(t, strings.HasPrefix(err.Error(), "jwtguard: "), err)
		assert.Zero(t, claims, "nothing half-filled")
	})
	t.Run("no token", func(t *testing.T) {
		for _, tok := range []*verifier.Token{nil, {}} {
			claims, err := verifier.ClaimsOf[map[string]any](tok)
			require.Error(t, err)
			assert.Nil(t, claims)
		}
	})
}

type (
	word     string
	embedded struct {
		A string `json:"a"`
		N int    `json:"n"`
	}
	Embedded embedded
	textual  struct{ text string }
	verbal   struct{ text string }
)

var errTextual = errors.New("not for a textual")

func (t *textual) UnmarshalText(text []byte) error {
	if t.text = "text " + string(text); string(text) == "no" {
		return errTextual
	}
	return nil
}

func (v *verbal) UnmarshalJSON(text []byte) error {
	v.text = "JSON " + string(text)
	return nil
}

// alike asserts that a T is read as encoding/json reads it, wherever it stands:
// claims has a value as x, in a list as l, and in a map as m.
func alike[T any](t *testing.T, tok *verifier.Token, claims string) (fits int) {
	t.Helper()
	for _, read := range []func() bool{
		func() bool {
			return same[struct {
				X T `json:"x"`
			}](t, tok, claims)
		},
		func() bool {
			return same[struct {
				//lint:ignore SA5008 what the option means for other types is what is tested
				X T `json:"x,string"`
			}](t, tok, claims)
		},
		func() bool {
			return same[struct {
				X *T `json:"x,omitempty"`
				Y T  `json:"-"`
			}](t, tok, claims)
		},
		func() bool {
			return same[struct {
				L []T  `json:"l"`
				M [2]T `json:"l2"`
			}](t, tok, claims)
		},
		func() bool {
			return same[struct {
				M map[string]T `json:"m"`
			}](t, tok, claims)
		},
	} {
		if read() {
			fits++
		}
	}
	return fits
}

func same[T any](t *testing.T, tok *verifier.Token, claims string) (fits bool) {
	t.Helper()
	got, err := verifier.ClaimsOf[T](tok)
	var want T
	if json.Unmarshal([]byte(claims), &want) != nil {
		assert.ErrorIs(t, err, verifier.ErrClaims, "%T of %s", want, claims)
		return false
	}
	assert.NoError(t, err, "%T of %s", want, claims)
	assert.Equal(t, want, got, claims)
	return true
}

func TestClaimsOfIsEncodingJSON(t *testing.T) {
	v, _ := setup(t)
	fits := map[string]int{}
	for _, value := range []string{
		`null`, `true`, `0`, `1`, `-1`, `300`, `1.5`, `1e2`, `9007199254740993`, `18446744073709551616`, `1e999`,
		`""`, `"x"`, `"no"`, `"12"`, `"1.5"`, `"AQID"`, `"AQ=="`, `"AQ"`, `"A-_="`, `"2026-01-02T03:04:05.5Z"`, `"2026-01-02 03:04:05"`, `"1h"`,
		`"10.0.0.1"`, `"\u00e9\ud83d\ude00"`, `[]`, `[1,2,3]`, `[1]`, `["a","b"]`, `["AQID"]`, `[null,1]`,
		`{}`, `{"a":"x","n":3}`, `{"a":null,"n":1,"z":[{}]}`, `{"1":"x","2":null}`, `{"a":{"a":"y"}}`,
	} {
		claims := members{"x": value, "l": "[" + value + "]", "l2": "[" + value + "," + value + "," + value + "]", "m": `{"k":` + value + `}`}.Over(goodClaims()).Text()
		s := signerOf("EdDSA")
		tok := verified(t, v, s.Sign(s.Header().Text(), claims))
		fits["bool"] += alike[bool](t, tok, claims)
		fits["int"] += alike[int](t, tok, claims)
		fits["int8"] += alike[int8](t, tok, claims)
		fits["uint64"] += alike[uint64](t, tok, claims)
		fits["float32"] += alike[float32](t, tok, claims)
		fits["float64"] += alike[float64](t, tok, claims)
		fits["string"] += alike[string](t, tok, claims)
		fits["a named string"] += alike[word](t, tok, claims)
		fits["any"] += alike[any](t, tok, claims)
		fits["Number"] += alikeNumber(t, tok, claims, value)
		fits["Duration"] += alike[time.Duration](t, tok, claims)
		fits["Time"] += alike[time.Time](t, tok, claims)
		fits["[]byte"] += alike[[]byte](t, tok, claims)
		fits["[3]byte"] += alike[[3]byte](t, tok, claims)
		fits["[2]int"] += alike[[2]int](t, tok, claims)
		fits["[]string"] += alike[[]string](t, tok, claims)
		fits["[]any"] += alike[[]any](t, tok, claims)
		fits["RawMessage"] += alike[json.RawMessage](t, tok, claims)
		fits["struct"] += alike[embedded](t, tok, claims)
		fits["an embedded struct"] += alike[struct {
			embedded
			M int `json:"m"`
		}](t, tok, claims)
		fits["an embedded pointer"] += alike[struct{ *Embedded }](t, tok, claims)
		fits["an embedded struct with a name"] += alike[struct {
			Embedded `json:"a"`
		}](t, tok, claims)
		fits["map[string]any"] += alike[map[string]any](t, tok, claims)
		fits["map[int]string"] += alike[map[int]string](t, tok, claims)
		fits["map[textual]any"] += alike[map[textual]any](t, tok, claims)
		fits["UnmarshalText"] += alike[textual](t, tok, claims)
		fits["UnmarshalJSON"] += alike[verbal](t, tok, claims)
		fits["netip.Addr"] += alike[netip.Addr](t, tok, claims)
		fits["big.Int"] += alike[big.Int](t, tok, claims)
		fits["url.URL"] += alike[url.URL](t, tok, claims)
		fits["an interface"] += alike[fmt.Stringer](t, tok, claims)
		fits["a channel"] += alike[chan int](t, tok, claims)
		fits["**int"] += alike[**int](t, tok, claims)
	}
	for name, n := range fits {
		assert.Positive(t, n, name)
	}
}

// alikeNumber leaves out that encoding/json takes any text for a quoted Number.
func alikeNumber(t *testing.T, tok *verifier.Token, claims, value string) int {
	if text := strings.Trim(value, `"`); text != value && !json.Valid([]byte(text)) {
		_, err := verifier.ClaimsOf[struct {
			X json.Number `json:"x,string"`
		}](tok)
		assert.ErrorIs(t, err, verifier.ErrClaims)
		return 0
	}
	return alike[json.Number](t, tok, claims)
}

func TestClaimsOfLargeNumbers(t *testing.T) {
	v, _ := setup(t)
	tok := verified(t, v, signerOf("EdDSA").token(nil, members{"n": "9007199254740993", "ttl": "90000000000"}))
	claims, err := verifier.ClaimsOf[struct {
		Exact int64         `json:"n"`
		TTL   time.Duration `json:"ttl"`
	}](tok)
	require.NoError(t, err)
	assert.EqualValues(t, 9007199254740993, claims.Exact)
	assert.Equal(t, 90*time.Second, claims.TTL)
	number, err := verifier.ClaimsOf[struct {
		N json.Number `json:"n"`
	}](tok)
	require.NoError(t, err)
	assert.Equal(t, json.Number("9007199254740993"), number.N)
	all, err := verifier.ClaimsOf[map[string]any](tok)
	require.NoError(t, err)
	assert.Equal(t, 9007199254740992.0, all["n"], "as the documentation says")
}

func TestClaimsOfErrors(t *testing.T) {
	v, _ := setup(t)
	tok := verified(t, v, signerOf("EdDSA").token(nil, members{"n": "1" + strings.Repeat("7", 5000), "text": `"no"`, "long": `"` + strings.Repeat("\\u0001", 500) + `"`}))
	t.Run("R9 are quoted and bounded", func(t *testing.T) {
		_, err := verifier.ClaimsOf[struct {
			N int `json:"n"`
		}](tok)
		require.ErrorIs(t, err, verifier.ErrClaims)
		assert.Contains(t, err.Error(), "jwtguard: the claims do not fit struct { N int")
		assert.Less(t, len(err.Error()), 350)
		_, err = verifier.ClaimsOf[struct {
			N json.Number `json:"long"`
		}](tok)
		require.ErrorIs(t, err, verifier.ErrClaims)
		assert.Less(t, len(err.Error()), 350)
		assert.NotContains(t, err.Error(), "\x01")
	})
	t.Run("wrap those of the caller's methods", func(t *testing.T) {
		_, err := verifier.ClaimsOf[struct {
			T textual `json:"text"`
		}](tok)
		require.ErrorIs(t, err, verifier.ErrClaims)
		require.ErrorIs(t, err, errTextual)
	})
	t.Run("R2 answer 401", func(t *testing.T) {
		_, fit := verifier.ClaimsOf[struct {
			Sub int `json:"sub"`
		}](tok)
		assertRefused(t, verifier.ErrClaims, verifier.AsError(ctx, fit))
		_, none := verifier.ClaimsOf[map[string]any](nil)
		assertRefused(t, verifier.ErrNoToken, verifier.AsError(ctx, none))
	})
}
