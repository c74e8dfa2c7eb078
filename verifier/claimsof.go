package verifier

import (
	stdjson "encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// ClaimsOf decodes the claims of t into a new T, a struct or a map. Each call
// decodes again, so that requests share nothing. Types, tags and methods mean
// what they mean to encoding/json, except that names are matched exactly (RFC 7519
// §4): a field needs its json tag. A NumericDate such as exp fits an int64 or a
// float64, not a time.Time; a time.Duration is read as nanoseconds.
//
// In an any, numbers are float64, in which integers beyond 2^53 lose their last
// digits: use int64 or json.Number.
//
// Claims that do not fit T are an error that wraps [ErrClaims]; a t that no
// verifier made is an error that wraps [ErrNoToken].
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

// claimsOptions make the library do what encoding/json does, except that names are
// compared with their case. A name that stands twice and invalid UTF-8 were
// refused before.
var claimsOptions = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	json.MatchCaseInsensitiveNames(false),
	json.WithUnmarshalers(json.UnmarshalFromFunc(unmarshalNumber)),
)

// unmarshalNumber decodes into encoding/json's Number, which to the library is a
// string like any other.
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

// A claimsError is safe to log: the decoder's own text may hold parts of the
// token, so it is quoted.
type claimsError struct {
	text string
	err  error
}

func (e *claimsError) Error() string { return e.text }

func (e *claimsError) Unwrap() []error { return []error{ErrClaims, e.err} }
