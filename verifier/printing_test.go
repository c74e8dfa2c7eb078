package verifier_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// A wrapped is a value as it may stand somewhere in a program.
type wrapped struct {
	how        string
	value      any
	unexported bool // nothing that prints can ask x how
}

type contextKey struct{}

// wrap returns x in everything that it may stand in.
func wrap[T any](x T) []wrapped {
	return []wrapped{
		{"itself", x, false},
		{"a pointer", &x, false},
		{"a field", struct{ X T }{x}, false},
		{"a pointer in a field", struct{ X *T }{&x}, false},
		{"an any in a field", struct{ X any }{x}, false},
		{"a field of a pointer", &struct{ X T }{x}, false},
		{"a list", []T{x}, false},
		{"an array of pointers", [1]*T{&x}, false},
		{"a map", map[string]T{"x": x}, false},
		{"a map of pointers", map[string]*T{"x": &x}, false},
		{"a context", context.WithValue(ctx, contextKey{}, x), true},
		{"an error", fmt.Errorf("with %v", x), false},
		{"an unexported field", struct{ x T }{x}, true},
		{"a pointer in an unexported field", struct{ x *T }{&x}, true},
		{"an any in an unexported field", struct{ x any }{x}, true},
		{"an unexported field of a pointer", &struct{ x T }{x}, true},
		{"an unexported list", struct{ x []T }{[]T{x}}, true},
		{"an unexported map", struct{ x map[string]*T }{map[string]*T{"x": &x}}, true},
	}
}

// exported are the names of this package's exported types.
func exported(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			g, _ := d.(*ast.GenDecl)
			if g == nil {
				continue
			}
			for _, spec := range g.Specs {
				if s, _ := spec.(*ast.TypeSpec); s != nil && s.Name.IsExported() {
					names = append(names, s.Name.Name)
				}
			}
		}
	}
	return names
}

// printed returns x by every way that prints, under every verb of fmt.
func printed(x any) map[string]string {
	all := map[string]string{}
	for _, verb := range "vsqxXdtcUboOeEfFgGpwz" {
		for _, flags := range []string{"", "+", "#", "# ", " ", "0"} {
			format := "%" + flags + string(verb)
			all[format] = fmt.Sprintf(format, x)
		}
	}
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"slog text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		"slog JSON": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
	} {
		var b bytes.Buffer
		slog.New(handler(&b)).Info("m", "x", x)
		all[name] = b.String()
	}
	doc, err := json.Marshal(x) // an error is fine, and is printed, too
	all["encoding/json"] = fmt.Sprint(string(doc), err)
	var b bytes.Buffer
	err = jsonv2.MarshalWrite(&b, x)
	all["encoding/json/v2"] = fmt.Sprint(b.String(), err)
	return all
}

// spellings is what hidden looks like where it is printed in that way.
func spellings(how, hidden string) (all []string) {
	all = append(all, hidden)
	for skip := range 3 { // wherever it stands in base64
		b := []byte(hidden)[skip:]
		all = append(all, base64.StdEncoding.EncodeToString(b[:len(b)/3*3]))
	}
	formats := []string{"%v", "%#v", "%x"}
	if flags := how[:len(how)-1]; strings.HasPrefix(how, "%") { // a verb that does not fit becomes v or d
		formats = []string{how, flags + "v", strings.Trim(flags, "#") + "d"}
	}
	for _, format := range formats {
		for _, s := range []string{fmt.Sprintf(format, hidden), fmt.Sprintf(format, []byte(hidden))} {
			for _, open := range []string{"[]byte{", "[", `"`} {
				s = strings.TrimPrefix(s, open)
			}
			all = append(all, strings.TrimRight(s, `]}"`))
		}
	}
	return all
}

// dump is what testify shows where an assertion fails: it follows pointers and
// reads unexported fields, and asks no methods.
func dump(x any) string {
	var said saying
	assert.ElementsMatch(&said, []any{x}, []any{nil})
	return string(said)
}

type saying string

func (s *saying) Errorf(format string, args ...any) { *s += saying(fmt.Sprintf(format, args...)) }

// reachable returns the texts and bytes that can be read from x by reflection.
func reachable(x reflect.Value, seen map[any]bool, found func(string)) {
	switch x.Kind() {
	case reflect.String:
		found(x.String())
	case reflect.Pointer:
		if at := [2]any{x.Type(), x.Pointer()}; !x.IsNil() && !seen[at] {
			seen[at] = true
			reachable(x.Elem(), seen, found)
		}
	case reflect.Interface:
		reachable(x.Elem(), seen, found)
	case reflect.Struct:
		for i := range x.NumField() {
			reachable(x.Field(i), seen, found)
		}
	case reflect.Slice, reflect.Array:
		if x.Type().Elem().Kind() == reflect.Uint8 {
			var b []byte
			for i := range x.Len() {
				b = append(b, byte(x.Index(i).Uint()))
			}
			found(string(b))
			return
		}
		for i := range x.Len() {
			reachable(x.Index(i), seen, found)
		}
	case reflect.Map:
		for _, k := range x.MapKeys() {
			reachable(k, seen, found)
			reachable(x.MapIndex(k), seen, found)
		}
	}
}

// Whatever this package exports shows neither secret nor token nor payload,
// wherever it stands and however it is printed; and Token and Verifier not even
// to who follows every pointer.
func TestNothingPrintsSecrets(t *testing.T) {
	secret := "SECRET-MARKER-0123456789-ABCDEFGHIJ"
	cfg := verifier.Config{Issuer: issuer, Audiences: []string{api}, SharedSecrets: [][]byte{[]byte(secret)}}
	var decision verifier.Decision
	v := newVerifierWith(t, verifier.Settings{Observe: func(_ context.Context, d verifier.Decision) { decision = d }}, cfg)
	raw := hmacSigner("HS256", []byte(secret)).token(nil, members{"x": `"PAYLOAD-MARKER-9876543210"`})
	parts := strings.Split(raw, ".")
	hidden := []string{secret[:12], "PAYLOAD-MARK", parts[0][:12], parts[1][:12], parts[2][:12]}
	tok := verified(t, v, raw)
	verified(t, v, raw) // it is remembered
	inside, err := v.Protect(verifier.Scope("orders:read"))(bearer(raw))
	require.NoError(t, err)
	require.Equal(t, verifier.OutcomeAdmitted, decision.Outcome)
	_, denied := v.Authenticate(bearer(raw), verifier.Scope("x"))
	_, forged := v.Verify(ctx, raw[:len(raw)-4]+"AAAA")
	_, unfit := verifier.ClaimsOf[struct {
		X json.Number `json:"aud"`
	}](tok)
	var e, f *verifier.Error
	require.ErrorAs(t, denied, &e)
	require.ErrorAs(t, forged, &f)
	require.Error(t, unfit)
	report := v.Explain(ctx, raw)
	require.True(t, report.Admitted)

	all := map[string][]wrapped{
		"Config":       wrap(cfg),
		"Verifier":     wrap(v),
		"Token":        append(wrap(tok), wrap(*tok)...),
		"Error":        append(append(append(wrap(e), wrap(*e)...), wrap(f)...), wrap(unfit)...),
		"Caller":       wrap(e.Caller()),
		"Guard":        append(wrap(v.Protect()), wrap(inside)...),
		"Claims":       wrap(verifier.Claims{ClientCredentials: verifier.Claim("a", "b")}),
		"Settings":     wrap(verifier.Settings{Realm: "x"}),
		"ActingParty":  wrap(verifier.ActingParty{Subject: "x"}),
		"Rule":         wrap(verifier.Claim("a", "b")),
		"Stats":        wrap(v.Stats()),
		"IssuerStatus": wrap(v.Issuers()),
		"KeySource":    wrap[verifier.KeySource](keysOf(signerOf("ES256"))),
		"Decision":     wrap(decision),
		"Outcome":      wrap(decision.Outcome),
		"Report":       append(wrap(report), wrap(v.Explain(ctx, raw[:len(raw)-4]+"AAAA"))...),
		"CheckReport":  wrap(report.Checks),
		"CheckResult":  wrap(verifier.CheckPassed),
		"Mistake":      wrap(v.Explain(ctx, raw, verifier.Scope("x")).Mistake),
		"Binding":      wrap(verifier.Binding{Member: "jkt"}),
		"Confirmation": wrap(verifier.Confirmation{}),
		"Resource":     wrap(verifier.Resource{URL: api}),
		"ManagedKeys":  wrap[verifier.ManagedKeys](nil),
		"ProofStats":   wrap(verifier.ProofStats{Proofs: 1}),
		"Revocation":   wrap[verifier.Revocation](&revocationList{}),

		"ManagedRevocation": wrap[verifier.ManagedRevocation](&revocationList{}),
		"RevocationStats":   wrap(verifier.RevocationStats{Entries: 1}),
	}
	for _, name := range exported(t) {
		assert.NotEmpty(t, all[name], "R9 what is a %s to be printed as?", name)
	}
	spelled := map[string][]string{} // by the way of printing
	for how := range printed(nil) {
		for _, h := range hidden {
			spelled[how] = append(spelled[how], spellings(how, h)...)
		}
	}
	shows := func(how, text string) bool {
		return slices.ContainsFunc(spelled[how], func(s string) bool { return strings.Contains(text, s) })
	}
	for name, values := range all {
		for _, w := range values {
			t.Run("R9 "+name+" as "+w.how, func(t *testing.T) {
				if name == "Config" && w.unexported {
					return // as its documentation says
				}
				outputs := printed(w.value)
				if name == "Config" { // which these verbs do not ask either; go vet reports both
					maps.DeleteFunc(outputs, func(how, _ string) bool {
						return strings.HasPrefix(how, "%") && strings.ContainsAny(how[len(how)-1:], "pw")
					})
				} else {
					outputs["%#v"] += dump(w.value)
					reachable(reflect.ValueOf(w.value), map[any]bool{}, func(text string) {
						for _, h := range hidden {
							assert.NotContains(t, text, h, "by reflection")
						}
					})
				}
				for how, text := range outputs {
					assert.False(t, shows(how, text), "%s: %.300s", how, text)
				}
			})
		}
	}
	t.Run("what is looked for would be found", func(t *testing.T) {
		type plain struct{ Secret, secret []byte }
		x := plain{[]byte(secret), []byte(secret)}
		for how, text := range printed(x) {
			assert.True(t, shows(how, text), "%s: %s", how, text)
		}
		assert.Contains(t, dump(x), hidden[0])
		found := 0
		reachable(reflect.ValueOf(&x), map[any]bool{}, func(text string) {
			if text == secret {
				found++
			}
		})
		assert.Equal(t, 2, found)
	})
	t.Run("what is shown", func(t *testing.T) {
		assert.Equal(t, `Config(issuer="https://login.example.com/" audiences=["https://api.example.com"])`, fmt.Sprintf("%+v", cfg))
		assert.Equal(t, `Verifier(issuers=["https://login.example.com/"])`, fmt.Sprintf("%s", v))
		doc, err := json.Marshal(cfg)
		require.NoError(t, err)
		assert.Contains(t, string(doc), "Config(issuer=")
	})
}
