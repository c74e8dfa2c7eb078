package verifier_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestAuthorizationField(t *testing.T) {
	v, keys := setup(t)
	raw := signerOf("ES256").good()
	require.NotContains(t, raw, "=")
	tests := []struct {
		name   string
		fields []string
		reason error // nil: let in
	}{
		{"X1 one field", []string{"Bearer " + raw}, nil},
		{"X1 scheme in small letters", []string{"bearer " + raw}, nil},
		{"X1 scheme in capitals", []string{"BEARER " + raw}, nil},
		{"X1 scheme in any case", []string{"bEaReR " + raw}, nil},
		{"X1 several spaces after the scheme", []string{"Bearer    " + raw}, nil},

		{"X1 two fields", []string{"Bearer " + raw, "Bearer x"}, verifier.ErrBadRequest},
		{"X1 two equal fields", []string{"Bearer " + raw, "Bearer " + raw}, verifier.ErrBadRequest},
		{"X1 another scheme first", []string{"Basic dTpw", "Bearer " + raw}, verifier.ErrBadRequest},
		{"X1 another scheme second", []string{"Bearer " + raw, "Basic dTpw"}, verifier.ErrBadRequest},
		{"X1 two fields without a token", []string{"Basic dTpw", "Basic dTpw"}, verifier.ErrBadRequest},
		{"X1 an empty second field", []string{"Bearer " + raw, ""}, verifier.ErrBadRequest},
		{"X1 three fields", []string{"", "", "Bearer " + raw}, verifier.ErrBadRequest},

		{"X1 the scheme alone", []string{"Bearer"}, verifier.ErrBadRequest},
		{"X1 an empty token", []string{"Bearer "}, verifier.ErrBadRequest},
		{"X1 only spaces", []string{"Bearer    "}, verifier.ErrBadRequest},
		{"X1 only padding", []string{"Bearer =="}, verifier.ErrBadRequest},
		{"X1 two tokens with a space", []string{"Bearer " + raw + " " + raw}, verifier.ErrBadRequest},
		{"X1 two tokens with a comma", []string{"Bearer " + raw + "," + raw}, verifier.ErrBadRequest},
		{"X1 a second challenge after a comma", []string{"Bearer " + raw + ", Basic dTpw"}, verifier.ErrBadRequest},
		{"X1 a comma after the scheme", []string{"Bearer, " + raw}, verifier.ErrBadRequest},
		{"X1 an equals sign after the scheme", []string{"Bearer=" + raw}, verifier.ErrBadRequest},
		{"X1 a slash after the scheme", []string{"Bearer/" + raw}, verifier.ErrBadRequest},
		{"X1 a tab after the scheme", []string{"Bearer\t" + raw}, verifier.ErrBadRequest},
		{"X1 a tab after the space", []string{"Bearer \t" + raw}, verifier.ErrBadRequest},
		{"X1 a space at the end", []string{"Bearer " + raw + " "}, verifier.ErrBadRequest},
		{"X1 a newline at the end", []string{"Bearer " + raw + "\n"}, verifier.ErrBadRequest},
		{"X1 a newline within", []string{"Bearer " + raw[:9] + "\n" + raw[9:]}, verifier.ErrBadRequest},
		{"X1 CR LF within", []string{"Bearer " + raw[:9] + "\r\n" + raw[9:]}, verifier.ErrBadRequest},
		{"X1 NUL", []string{"Bearer " + raw + "\x00"}, verifier.ErrBadRequest},
		{"X1 quotation marks", []string{`Bearer "` + raw + `"`}, verifier.ErrBadRequest},
		{"X1 a named parameter", []string{"Bearer token=" + raw}, verifier.ErrBadRequest},
		{"X1 padding within", []string{"Bearer ab=cd"}, verifier.ErrBadRequest},
		{"X1 beyond ASCII", []string{"Bearer " + raw + "\u00e9"}, verifier.ErrBadRequest},
		{"X1 no UTF-8", []string{"Bearer " + raw + "\xff"}, verifier.ErrBadRequest},
		{"X1 a no-break space after the scheme", []string{"Bearer\u00a0" + raw}, verifier.ErrBadRequest},
		{"X1 the JSON serialization", []string{`Bearer {"payload":"e30"}`}, verifier.ErrBadRequest},

		{"X1 a b64token that is no JWT", []string{"Bearer mF_9.B5f-4.1JqM"}, verifier.ErrMalformed},
		{"X1 a b64token without a dot", []string{"Bearer abc"}, verifier.ErrMalformed},
		{"X1 a b64token with padding", []string{"Bearer abc=="}, verifier.ErrMalformed},
		{"X1 a b64token with all its signs", []string{"Bearer a-b.c_d~e+f/g"}, verifier.ErrMalformed},
		{"X1 a good token with padding", []string{"Bearer " + raw + "=="}, verifier.ErrMalformed},

		{"X1 no field", nil, verifier.ErrNoToken},
		{"X1 an empty field", []string{""}, verifier.ErrNoToken},
		{"X1 Basic", []string{"Basic dTpw"}, verifier.ErrNoToken},
		{"X1 DPoP", []string{"DPoP " + raw}, verifier.ErrNoToken},
		{"X1 another scheme as long as Bearer", []string{"Digest " + raw}, verifier.ErrNoToken},
		{"X1 a longer scheme", []string{"Bearers " + raw}, verifier.ErrNoToken},
		{"X1 a scheme of other signs", []string{"Bearer-2 " + raw}, verifier.ErrNoToken},
		{"X1 a shorter scheme", []string{"Beare " + raw}, verifier.ErrNoToken},
		{"X1 no scheme", []string{raw}, verifier.ErrNoToken},
		{"X1 the scheme grown together", []string{"Bearer" + raw}, verifier.ErrNoToken},
		{"X1 a space before the scheme", []string{" Bearer " + raw}, verifier.ErrNoToken},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			keys.lookups.Store(0)
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["Authorization"] = tt.fields
			tok, err := v.Authenticate(r)
			if tt.reason == nil {
				require.NoError(t, err)
				assert.Equal(t, "billing", tok.ClientID())
				return
			}
			assert.Nil(t, tok)
			assertRefused(t, tt.reason, err)
			assertDiscreet(t, raw, err)
			assert.Zero(t, keys.lookups.Load())
		})
	}
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

func TestTokensElsewhere(t *testing.T) {
	v, _ := setup(t)
	raw := signerOf("ES256").good()
	tests := []struct {
		name string
		put  func(*http.Request)
	}{
		{"X2 query", func(r *http.Request) { r.URL.RawQuery = "access_token=" + raw }},
		{"X2 parsed form", func(r *http.Request) { r.Form = map[string][]string{"access_token": {raw}} }},
		{"X2 form body", func(r *http.Request) {
			r.Method = http.MethodPost
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}},
		{"X2 cookie", func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "access_token", Value: raw}) }},
		{"X2 subprotocol", func(r *http.Request) { r.Header.Set("Sec-WebSocket-Protocol", raw) }},
		{"X2 another header", func(r *http.Request) { r.Header.Set("Proxy-Authorization", "Bearer "+raw) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", unread{t})
			tt.put(r)
			_, err := v.Authenticate(r)
			assertRefused(t, verifier.ErrNoToken, err)
		})
	}
}

func TestTokenFrom(t *testing.T) {
	v, _ := setup(t, func(cfg *set) {
		cfg.TokenFrom = func(r *http.Request) string { return r.Header.Get("X-Token") }
	})
	raw := signerOf("ES256").good()
	tests := []struct {
		name, custom string
		fields       []string
		reason       error
	}{
		{"X2 only the custom place", raw, nil, nil},
		{"X2 only Authorization", "", []string{"Bearer " + raw}, nil},
		{"X2 the custom place beside another scheme", raw, []string{"Basic dTpw"}, nil},
		{"X2 nowhere", "", nil, verifier.ErrNoToken},
		{"X2 two places", raw, []string{"Bearer x.y.z"}, verifier.ErrBadRequest},
		{"X2 the same token in two places", raw, []string{"Bearer " + raw}, verifier.ErrBadRequest},
		{"X2 rubbish in the custom place", "x", []string{"Bearer " + raw}, verifier.ErrBadRequest},
		{"X2 an empty Bearer beside the custom place", raw, []string{"Bearer"}, verifier.ErrBadRequest},
		{"X2 two fields beside the custom place", raw, []string{"Basic dTpw", "Basic dTpw"}, verifier.ErrBadRequest},
		{"X2 spaces in the custom place", raw + " ", nil, verifier.ErrBadRequest},
		{"X2 a scheme in the custom place", "Bearer " + raw, nil, verifier.ErrBadRequest},
		{"X2 no JWT in the custom place", "x", nil, verifier.ErrMalformed},
		{"X2 too much in the custom place", strings.Repeat("x", 16385), nil, verifier.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("X-Token", tt.custom)
			r.Header["Authorization"] = tt.fields
			_, err := v.Authenticate(r)
			if tt.reason == nil {
				require.NoError(t, err)
				return
			}
			assertRefused(t, tt.reason, err)
		})
	}
}

// ofLength returns a good token of exactly n bytes. Base64 has no text for every
// length, so both segments grow.
func ofLength(t *testing.T, n int) string {
	s := signerOf("Ed25519")
	fill := func(n int) members { return members{"fill": `"` + strings.Repeat("x", n) + `"`} }
	for i := range 3 {
		bytes := (n-len(s.token(fill(i), fill(0))))*3/4 - 2
		for j := range 5 {
			if raw := s.token(fill(i), fill(bytes+j)); len(raw) == n {
				return raw
			}
		}
	}
	require.Fail(t, "no such length")
	return ""
}

func TestTokenLength(t *testing.T) {
	t.Run("X3 16 KiB and no more", func(t *testing.T) {
		v, keys := setup(t)
		raw := ofLength(t, 16384)
		verified(t, v, raw)
		_, err := v.Authenticate(bearer(raw))
		require.NoError(t, err)

		keys.lookups.Store(0)
		raw = ofLength(t, 16385)
		_, err = v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrMalformed, err)
		_, err = v.Authenticate(bearer(raw))
		assertRefused(t, verifier.ErrMalformed, err)
		assert.Zero(t, keys.lookups.Load())
	})
	t.Run("X3 configurable", func(t *testing.T) {
		raw := signerOf("Ed25519").good()
		v, _ := setup(t, func(cfg *set) { cfg.MaxTokenLength = len(raw) })
		verified(t, v, raw)
		v, _ = setup(t, func(cfg *set) { cfg.MaxTokenLength = len(raw) - 1 })
		_, err := v.Verify(ctx, raw)
		assertRefused(t, verifier.ErrMalformed, err)

		raw = ofLength(t, 20000)
		v, _ = setup(t, func(cfg *set) { cfg.MaxTokenLength = 20000 })
		verified(t, v, raw)
	})
	t.Run("X3 before it is looked through", func(t *testing.T) {
		v, _ := setup(t)
		_, err := v.Authenticate(bearer(strings.Repeat(" ,\n", 16384)))
		assertRefused(t, verifier.ErrMalformed, err)
	})
	t.Run("X3 no unbounded split", func(t *testing.T) {
		v, _ := setup(t, func(cfg *set) { cfg.MaxTokenLength = 1 << 20 })
		dots := strings.Repeat(".", 1<<20)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := v.Verify(ctx, dots)
		runtime.ReadMemStats(&after)
		assertRefused(t, verifier.ErrMalformed, err)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
	})
}

func TestTokenFromSeesTheRequest(t *testing.T) {
	t.Run("X2 the hook gets the request as it is", func(t *testing.T) {
		var seen *http.Request
		v, _ := setup(t, func(cfg *set) {
			cfg.TokenFrom = func(r *http.Request) string { seen = r; return "" }
		})
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		_, err := v.Authenticate(r)
		assertRefused(t, verifier.ErrNoToken, err)
		assert.Same(t, r, seen)
	})
}

// A scheme that only begins like Bearer is another one (RFC 9110 §5.6.2).
func TestLongerSchemes(t *testing.T) {
	v, _ := setup(t)
	for _, c := range "!#$%&'*+-.^_`|~aZ09" {
		r := bearer("")
		r.Header.Set("Authorization", "Bearer"+string(c)+" "+signerOf("EdDSA").good())
		_, err := v.Authenticate(r)
		assertRefused(t, verifier.ErrNoToken, err)
	}
}
