package jwkscache_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// longest returns the length of the longest text in err's tree.
func longest(err error) (n int) {
	n = len(err.Error())
	switch u := err.(type) {
	case interface{ Unwrap() error }:
		if inner := u.Unwrap(); inner != nil {
			n = max(n, longest(inner))
		}
	case interface{ Unwrap() []error }:
		for _, inner := range u.Unwrap() {
			n = max(n, longest(inner))
		}
	}
	return n
}

// Text from a server does not fill memory, logs and status pages.
func TestErrorsAreShort(t *testing.T) {
	long := strings.Repeat("x", 60_000)
	reset := errors.New("connection reset")
	certificate := &x509.Certificate{DNSNames: strings.Split(strings.Repeat(strings.Repeat("n", 50)+" ", 1000), " ")}
	for _, row := range []struct {
		name string
		a    responder
		kept error // what errors.Is still finds
	}{
		{"R9 a long error of the transport", broken(errors.New(long)), nil},
		{"R9 a long error around another", broken(fmt.Errorf("%s: %w", long, reset)), reset},
		{"R9 several", broken(errors.Join(errors.New(long), reset, fmt.Errorf("%s: %w", long, io.EOF))), io.EOF},
		{"R9 a time-out", broken(fmt.Errorf("%s: %w", long, context.DeadlineExceeded)), context.DeadlineExceeded},
		{"R9 a short one stays", broken(fmt.Errorf("dial: %w", reset)), reset},
		{"R9 a certificate's names", broken(x509.HostnameError{Certificate: certificate, Host: "issuer.example"}), nil},
		{"R9 in the body", cutOff("{", fmt.Errorf("%s: %w", long, reset)), reset},
		{"R9 control characters", broken(fmt.Errorf("a\nb\x1b[31m\u202e: %w", reset)), reset},
		{"R9 bad UTF-8", broken(fmt.Errorf("\xff\xfe: %w", reset)), reset},
		{"R9 a Location", reply(302, "", "Location", "https://"+long), nil},
		{"R9 a Location that is not a URL", reply(302, "", "Location", "https://["+long), nil},
		{"R9 a Location to follow", reply(302, "", "Location", "http://"+long+".example"), nil},
		{"R9 a panic", func(*http.Request) (*http.Response, error) { panic(long) }, nil},
		{"R9 HTML", reply(200, "<html>"+long), nil},
		{"R9 a name", reply(200, `{"`+long+`":1}`), nil},
		{"R9 a member", reply(200, rawSet(`{"`+long+`":1}`, `{"kid":"`+long+`"}`, `{"kty":"`+long+`"}`)), nil},
		{"R9 a member of its type", reply(200, rawSet(`{"kty":7,"`+long+`":{}}`, `{"use":"`+long+`"}`, `{"use":"\u0000\n"}`)), nil},
		{"R9 a member twice", reply(200, rawSet(`{"`+long+`":1,"`+long+`":2}`)), nil},
	} {
		t.Run(row.name, inBubble(func(t *testing.T) {
			j := new(journal)
			s := newServer(row.a)
			s.at(oidcForm, reply(200, toJSON(jwk{"issuer": issuer, "jwks_uri": jwksURL})))
			byAddress := open(t, s, jwkscache.Config{Logger: j.logger()})
			byIssuer := openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
			m := newServer(nil)
			m.at(oidcForm, row.a)
			m.at(rfcForm, row.a)
			byMetadata := openIssuer(t, m, issuer, jwkscache.Config{Logger: j.logger()})
			synctest.Wait()
			for _, c := range []*jwkscache.Cache{byAddress, byIssuer, byMetadata} {
				for _, err := range []error{c.Stats().LastError, c.Health(), cannotTell(t, c, "a")} {
					require.Error(t, err)
					assert.Less(t, len(err.Error()), 2000)
					assert.NotRegexp(t, "[\x00-\x1f\x7f\u202e]", err.Error())
					assert.Less(t, longest(err), 2000, "nor what it wraps")
					if row.kept != nil {
						require.ErrorIs(t, err, row.kept)
					}
				}
			}
			assert.Equal(t, 3, j.count("level=WARN"))
			assert.Less(t, len(j.text()), 8000)
		}))
	}

	t.Run("R9 the names of keys that are skipped, and of metadata", inBubble(func(t *testing.T) {
		j, a := new(journal), newKey("a")
		strange, far := strings.Repeat("\u202e\n", 10_000), jwksURL+"?"+strings.Repeat("x", 7000)
		odd := a.jwk.with("kid", strange, "use", strange).String()
		s := newServer(nil)
		s.at(oidcForm, metadata(issuer, far))
		s.at(far, reply(200, rawSet(a.jwk.String(), odd, odd, odd, odd)))
		c := openIssuer(t, s, issuer, jwkscache.Config{Logger: j.logger()})
		serves(t, c, a)
		s.at(oidcForm, metadata(issuer+strange, jwksURL))
		require.Error(t, c.Refresh(t.Context()))
		synctest.Wait()
		assert.Less(t, len(j.text()), 8000)
		assert.Less(t, len(fmt.Sprint(c.Stats().KeyWarnings)), 4*1000)
		assert.NotContains(t, fmt.Sprint(c.Stats().KeyWarnings), "\u202e")
	}))

	t.Run("K9 an address that no server reads is not asked", inBubble(func(t *testing.T) {
		s := newServer(nil)
		s.at(oidcForm, metadata(issuer, jwksURL+"?"+long))
		c := openIssuer(t, s, issuer, jwkscache.Config{})
		require.ErrorContains(t, c.Health(), "an address of 600")
	}))
}
