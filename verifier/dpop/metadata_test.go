package dpop_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/dpop"
	"github.com/seed-12ed5b1c/jwtguard/verifier/mtls"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// The metadata says which bindings there are, and whether DPoP is demanded.
func TestMetadata(t *testing.T) {
	proofs, err := dpop.New(dpop.Config{Origins: []string{api}, Algorithms: []string{"ES256", "EdDSA"}})
	require.NoError(t, err)
	certificates, err := mtls.New(mtls.Config{})
	require.NoError(t, err)
	iss, other := verifiertest.NewIssuer(t), verifiertest.NewIssuer(t)
	const algs, required, certs = "dpop_signing_alg_values_supported", "dpop_bound_access_tokens_required", "tls_client_certificate_bound_access_tokens"
	for name, row := range map[string]struct {
		bindings []verifier.Binding
		configs  []verifier.Config
		want     map[string]any
	}{
		"nothing":                {nil, []verifier.Config{iss.Config(api)}, map[string]any{}},
		"DPoP":                   {[]verifier.Binding{proofs}, []verifier.Config{iss.Config(api)}, map[string]any{algs: []any{"ES256", "EdDSA"}}},
		"certificates":           {[]verifier.Binding{certificates}, []verifier.Config{iss.Config(api)}, map[string]any{certs: true}},
		"DPoP demanded":          {[]verifier.Binding{proofs}, []verifier.Config{iss.Config(api).With(verifier.Bound())}, map[string]any{algs: []any{"ES256", "EdDSA"}, required: true}},
		"either demanded":        {[]verifier.Binding{proofs, certificates}, []verifier.Config{iss.Config(api).With(verifier.Bound())}, map[string]any{algs: []any{"ES256", "EdDSA"}, certs: true}},
		"demanded of one issuer": {[]verifier.Binding{proofs}, []verifier.Config{iss.Config(api).With(verifier.Bound()), other.Config(api)}, map[string]any{algs: []any{"ES256", "EdDSA"}}},
	} {
		t.Run("N2 "+name, func(t *testing.T) {
			v, err := verifier.Settings{Bindings: row.bindings, Resources: []verifier.Resource{{URL: api}}}.New(row.configs...)
			require.NoError(t, err)
			defer v.Close()
			w := httptest.NewRecorder()
			require.True(t, verifier.ServeMetadata(w, httptest.NewRequest("GET", api+verifier.MetadataPath, nil), v))
			var all map[string]any
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &all))
			for _, name := range []string{algs, required, certs} {
				assert.Equal(t, row.want[name], all[name], name)
			}
		})
	}
}
