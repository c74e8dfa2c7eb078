package web

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	bootstrap "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/ext_authz/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	manager "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"
)

// Envoy itself cannot be had here. Its API's own types read the configuration, refuse
// what they do not know, and check values.
func TestEnvoyConfiguration(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "examples", "forwardauth", "envoy.yaml"))
	require.NoError(t, err)
	var tree any
	require.NoError(t, yaml.Unmarshal(text, &tree))
	document, err := json.Marshal(tree)
	require.NoError(t, err)
	var config bootstrap.Bootstrap
	require.NoError(t, protojson.Unmarshal(document, &config))
	require.NoError(t, config.ValidateAll())

	valid := func(packed *anypb.Any) any {
		t.Helper()
		inside, err := packed.UnmarshalNew()
		require.NoError(t, err)
		require.NoError(t, inside.(interface{ ValidateAll() error }).ValidateAll())
		return inside
	}
	filter := config.StaticResources.Listeners[0].FilterChains[0].Filters[0]
	m := valid(filter.GetTypedConfig()).(*manager.HttpConnectionManager)
	assert.True(t, m.GetUseRemoteAddress().GetValue(), "else strangers' X-Envoy-* fields are obeyed")
	for _, mutation := range m.EarlyHeaderMutationExtensions {
		valid(mutation.TypedConfig)
	}
	for _, filter := range m.HttpFilters {
		valid(filter.GetTypedConfig())
	}
	assert.Len(t, m.HttpFilters, 2)
	assert.Len(t, m.EarlyHeaderMutationExtensions, 1)
}
