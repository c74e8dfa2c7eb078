package verifier

import (
	stdjson "encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// ClaimsOf decodes the claims of t into a new T, a struct or a map. Each call decodes
// again, so that requests share nothing. Types, tags and methods work as in
// encoding/json, except that names are matched exactly (RFC 7519 §4), so a field
// needs its json tag. A NumericDate such as exp can be read into an int64 or a
// float64, not into a time.Time; a time.Duration is read as nanoseconds.
//
// In an any, numbers are float64, in which integers beyond 2^53 lose precision: use
// int64 or json.Number.
//
// If the claims do not fit T, the error wraps [ErrClaims]. If no Verifier made t, it
// wraps [ErrNoToken].
func ClaimsOf[T any](t *Token) (T, error) {
	var claims, zero T
	if !t.isVerified() {
		return zero, fmt.Errorf("jwtguard: ClaimsOf: %w", ErrNoToken)
	}
	if err := json.Unmarshal([]byte(t.source().payload), &claims, claimsOptions); err != nil {
		return zero, &claimsError{fmt.Sprintf("jwtguard: the claims do not fit %T: %s", zero, quote(err.Error())), err}
	}
	return claims, nil
}

// claimsOptions make the library behave like encoding/json, except that names are
// compared with case. Duplicate names and invalid UTF-8 were refused before.
var claimsOptions = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	json.MatchCaseInsensitiveNames(false),
	json.WithUnmarshalers(json.UnmarshalFromFunc(unmarshalNumber)),
)

// unmarshalNumber decodes into encoding/json's Number, which the library treats as a
// string.
func unmarshalNumber(dec *jsontext.Decoder, n *stdjson.Number) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if quoted, _ := json.GetOption(dec.Options(), json.StringifyNumbers); quoted && v.Kind() == '0' {
		return errors.New("a number without quotation marks, which its tag requires")
	}
	return stdjson.Unmarshal(v, n)
}

// A claimsError is safe to log: the decoder's text may contain parts of the token, so
// it is quoted.
type claimsError struct {
	text string
	err  error
}

func (e *claimsError) Error() string { return e.text }

func (e *claimsError) Unwrap() []error { return []error{ErrClaims, e.err} }
