package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The story, with real processes, keeps within the bounds of bounds.go.
func TestStory(t *testing.T) {
	_, err := exec.LookPath("redis-server")
	require.NoError(t, err, "redis-server must be in PATH: run .ci/redis make fleet-test")
	picture := filepath.Join(t.TempDir(), "fleet.svg")
	var out strings.Builder
	err = run(t.Context(), &out, options{short: true, rate: 50, picture: picture, logs: t.TempDir()})
	t.Log(out.String())
	t.Run("W1 W2 W3 W4 within the bounds", func(t *testing.T) { assert.NoError(t, err) })
	assert.NotContains(t, out.String(), "BROKEN")
	assert.Equal(t, 8, strings.Count(out.String(), "kept  "), "each bound is reported")
	assert.Contains(t, out.String(), "8. the issuer returns, with a new key")
	svg, err := os.ReadFile(picture)
	require.NoError(t, err)
	assert.Contains(t, string(svg), "</svg>")
}

// Without a redis-server, the program says what to do.
func TestNoRedis(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := run(t.Context(), &strings.Builder{}, options{rate: 1})
	assert.ErrorContains(t, err, ".ci/redis make fleet")
}
