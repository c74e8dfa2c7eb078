package verifier

import (
	stdjson "encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// ClaimsOf decodes the claims of t into a T, a struct or a map, afresh at each
// call, so that nothing is shared between requests. Types, tags and methods mean
// what they mean to encoding/json, except that names are matched exactly, as RFC
// 7519 §4 has it: a field needs its json tag.
//
// In an any, numbers are float64, and integers beyond 2^53 lose their last digits:
// use int64, or json.Number for what has no bound.
//
// Claims that do not fit T are an error that wraps [ErrClaims]; a t that no
// verifier let in is one that wraps [ErrNoToken].
func ClaimsOf[T any](t *Token) (T, error) {
	var claims, zero T
	if !t.verified() {
		return zero, fmt.Errorf("jwtguard: ClaimsOf: %w", ErrNoToken)
	}
	if err := json.Unmarshal([]byte(t.evidence().payload), &claims, claimsOptions); err != nil {
		return zero, &claimsError{fmt.Sprintf("jwtguard: the claims do not fit %T: %s", zero, quote(err.Error())), err}
	}
	return claims, nil
}

// claimsOptions make encoding/json of the library, but for the case of names.
// Claims have neither a name twice nor bad UTF-8: those are refused earlier.
var claimsOptions = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	json.MatchCaseInsensitiveNames(false),
	json.WithUnmarshalers(json.UnmarshalFromFunc(unmarshalNumber)),
)

// unmarshalNumber is for the Number of encoding/json, which the library takes for
// a string like any other.
func unmarshalNumber(dec *jsontext.Decoder, n *stdjson.Number) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if quoted, _ := json.GetOption(dec.Options(), json.StringifyNumbers); quoted && v.Kind() == '0' {
		return errors.New("a number without quotation marks, which its tag demands")
	}
	return stdjson.Unmarshal(v, n)
}

// A claimsError quotes what the decoder says, which may hold what the token says.
type claimsError struct {
	text string
	err  error
}

func (e *claimsError) Error() string { return e.text }

func (e *claimsError) Unwrap() []error { return []error{ErrClaims, e.err} }
