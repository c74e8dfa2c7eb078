package grpcauth_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// parametersOf returns the metadata of a refusal with this challenge behind its own.
func parametersOf(t *testing.T, challenge string) map[string]string {
	t.Helper()
	err := grpcauth.Refuse(context.Background(), &verifier.Error{
		Reason: verifier.ErrRevoked, Header: http.Header{"WWW-Authenticate": {challenge}},
	})
	assert.Equal(t, codes.Unauthenticated, status.Code(err))
	m := infoOf(t, err).Metadata
	assert.Equal(t, "api", m["realm"])
	return m
}

func TestParameters(t *testing.T) {
	for challenge, want := range map[string]map[string]string{
		``:                               {},
		`Bearer`:                         {},
		`Bearer `:                        {},
		`Bearer realm="other"`:           {},
		`DPoP algs="ES256 EdDSA", x="y"`: {"algs": "ES256 EdDSA", "x": "y"},
		`Bearer error="e", error_description="d", scope="s"`: {"scope": "s"},
		`Bearer a="", b="c"`:          {"a": "", "b": "c"},
		`Bearer a="b"`:                {"a": "b"},
		`Bearer a="b" , c="d"`:        {"a": "b"},
		`Bearer a="b",c="d"`:          {"a": "b"},
		`Bearer a="b", c=d, e="f"`:    {"a": "b"},
		`Bearer a="b", C="d"`:         {"a": "b"},
		`Bearer a="b", c="d`:          {"a": "b"},
		`Bearer a="b", c="\"", d="e"`: {"a": "b"},
		"Bearer a=\"b\", c=\"\xff\"":  {"a": "b"},
		`Negotiate abc=`:              {},
		`Bearer ="x"`:                 {},
	} {
		t.Run("G2 "+challenge, func(t *testing.T) {
			got := parametersOf(t, challenge)
			delete(got, "realm")
			assert.Equal(t, want, got)
		})
	}
}

func FuzzParameters(f *testing.F) {
	for _, challenge := range []string{`Bearer realm="api", scope="a b"`, `DPoP algs="ES256", x="y"`, `Bearer a="\""`, `B a="`, "B a=\"\xff\"", `Basic`} {
		f.Add(challenge)
	}
	name := regexp.MustCompile(`^[a-z0-9_]+$`) // and, with a letter first, what google.rpc.ErrorInfo allows
	f.Fuzz(func(t *testing.T, challenge string) {
		for key, value := range parametersOf(t, challenge) {
			assert.Regexp(t, name, key)
			if key != "realm" {
				assert.Contains(t, challenge, key+`="`+value+`"`)
			}
			assert.False(t, strings.ContainsAny(value, "\"\\"))
		}
	})
}
