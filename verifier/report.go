package verifier

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/ascii"
	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

// A reportedToken is what a Report may show of a token.
type reportedToken struct {
	header jose.Object
	claims jose.Object
}

// newReportedToken takes the header from the token once more, since a verifier reads only
// some of its members.
func newReportedToken(w *workspace) *reportedToken {
	head, _, _ := strings.Cut(w.jws.Raw, ".")
	doc, _ := jose.AppendDecode(nil, []byte(head))
	var b jose.Buffer
	_, header, _ := jose.ReadObject(doc, nil, &b)
	return &reportedToken{header, w.jws.Claims}
}

// The members of header and claims that a Report shows.
var (
	shownHeader = []string{"alg", "kid", "typ", "cty", "x5t", "x5t#S256"}
	shownClaims = []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "roles", // RFC 7519, RFC 9068
		"azp", "cid", "appid", "clientId", "scp", "scopes", "permissions",
		"tid", "ver", "token_use", "idtyp", "gty", "typ", "acr", "auth_time", "realm_access", "resource_access",
	}
)

// reported returns nil if the token is not a JWT.
func (r Report) reported() *reportedToken {
	if r.token == nil {
		return nil
	}
	return r.token()
}

// WithClaims returns a copy of r that shows all claims, which may contain personal data.
func (r Report) WithClaims() Report {
	r.showsAllClaims = true
	return r
}

// parts divides the members of o into those that are shown and the names of the others.
func parts(o jose.Object, shown []string, all bool) (members jose.Object, others []string) {
	for _, m := range o {
		if all || slices.Contains(shown, m.Name) {
			members = append(members, m)
		} else {
			others = append(others, cutTo(m.Name, maxQuoted))
		}
	}
	return members, others
}

// cutTo returns the first n bytes of s, without a rune that this cuts.
func cutTo(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }

// keysJSON is the JSON of [Report.Keys].
type keysJSON struct {
	State     string     `json:"state"`
	Keys      int        `json:"keys"`
	Fetched   *time.Time `json:"fetched,omitempty"`
	LastError string     `json:"last_error,omitempty"`
	Clock     float64    `json:"clock_difference_seconds,omitempty"`
}

// MarshalJSON returns the object that docs/explain.md describes: the result, the checks,
// and what is shown of the keys and of the token. It is ASCII.
func (r Report) MarshalJSON() ([]byte, error) {
	doc := struct {
		Admitted    bool          `json:"admitted"`
		Status      int           `json:"status"`
		Code        string        `json:"error,omitempty"`
		Reason      string        `json:"reason,omitempty"`
		Stopped     string        `json:"stopped_at,omitempty"`
		Mistake     Mistake       `json:"mistake,omitzero"`
		Checks      []CheckReport `json:"checks"`
		Keys        *keysJSON     `json:"keys,omitempty"`
		Header      membersJSON   `json:"header,omitempty"`
		OtherHeader []string      `json:"other_header,omitempty"`
		Claims      membersJSON   `json:"claims,omitempty"`
		OtherClaims []string      `json:"other_claims,omitempty"`
	}{Admitted: r.Admitted, Status: http.StatusOK, Stopped: r.StoppedAt, Mistake: r.Mistake, Checks: r.Checks}
	if r.Refusal != nil {
		doc.Status, doc.Code, doc.Reason = r.Refusal.Status(), r.Refusal.Code(), ReasonName(r.Refusal)
	}
	if k := r.Keys; k.State != "" {
		doc.Keys = &keysJSON{State: string(k.State), Keys: k.Keys, Clock: k.ClockDifference.Seconds()}
		if !k.LastSuccess.IsZero() {
			fetched := k.LastSuccess.UTC()
			doc.Keys.Fetched = &fetched
		}
		if k.LastError != nil {
			doc.Keys.LastError = k.LastError.Error()
		}
	}
	if t := r.reported(); t != nil {
		var members jose.Object
		members, doc.OtherHeader = parts(t.header, shownHeader, false)
		doc.Header = membersJSON(members)
		members, doc.OtherClaims = parts(t.claims, shownClaims, r.showsAllClaims)
		doc.Claims = membersJSON(members)
	}
	text, err := json.Marshal(doc)
	return ascii.EscapeJSON(text), err
}

// membersJSON is written as one object, in the order of the token.
type membersJSON jose.Object

func (o membersJSON) MarshalJSON() ([]byte, error) {
	text := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		name, err := json.Marshal(m.Name)
		if err != nil {
			return nil, err
		}
		text = append(append(append(text, name...), ':'), m.Value...)
	}
	return append(text, '}'), nil
}
