package differential

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// jose, in Node.js, has options for everything in the policy, and for one typ,
// which is too few. The keys come from createLocalJWKSet.
const joseName = "jose"

// joseLivesAtMost ends a Node.js process that hangs.
const joseLivesAtMost = 5 * time.Minute

// pollJOSE asks node/jose.mjs about all samples: a line each, in order. The
// process ends with its stdin.
func pollJOSE(t *testing.T, samples []sample) []ballot {
	t.Helper()
	node, err := exec.LookPath("node")
	require.NoError(t, err, "This test needs Node.js 20 or later: install it, so that node is in PATH.")
	folder := filepath.Join("..", "node")
	_, err = os.Stat(filepath.Join(folder, "node_modules", "jose"))
	require.NoError(t, err, "npm jose is missing: run make e2e, or npm ci --ignore-scripts in e2e/node.")

	ctx, kill := context.WithTimeout(t.Context(), joseLivesAtMost)
	defer kill()
	cmd := exec.CommandContext(ctx, node, filepath.Join(folder, "jose.mjs"))
	var log bytes.Buffer
	cmd.Stderr = &log
	cmd.WaitDelay = 5 * time.Second
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	wrote := make(chan error, 1)
	go func() {
		defer func() { _ = stdin.Close() }()
		questions := json.NewEncoder(stdin)
		for _, s := range samples {
			if err := questions.Encode(question{s.jwks, s.token, issuer, audience, algorithms, leeway.Seconds()}); err != nil {
				wrote <- err
				return
			}
		}
		wrote <- nil
	}()
	var ballots []ballot
	answers := json.NewDecoder(bufio.NewReader(stdout))
	for answers.More() {
		var a answer
		require.NoError(t, answers.Decode(&a))
		ballots = append(ballots, a.ballot())
	}
	writing := <-wrote // it ends with the process at the latest
	require.NoError(t, cmd.Wait(), "%v: jose.mjs wrote:\n%s", writing, log.String())
	require.NoError(t, writing)
	require.Len(t, ballots, len(samples))
	return ballots
}

// A question is a line to jose.mjs.
type question struct {
	JWKS       string   `json:"jwks"` // as text: it may be no JSON
	Token      string   `json:"token"`
	Issuer     string   `json:"issuer"`
	Audience   string   `json:"audience"`
	Algorithms []string `json:"algorithms"`
	Leeway     float64  `json:"leeway"`
}

// An answer is a line of jose.mjs.
type answer struct {
	Claims map[string]any `json:"claims"`
	Error  string         `json:"error"`
}

func (a answer) ballot() ballot {
	if a.Error != "" {
		return ballot{why: a.Error}
	}
	r := report{Claims: a.Claims, Audience: texts(a.Claims["aud"])}
	r.Issuer, _ = a.Claims["iss"].(string)
	r.Subject, _ = a.Claims["sub"].(string)
	r.ID, _ = a.Claims["jti"].(string)
	exp, _ := a.Claims["exp"].(float64)
	r.Expiry = int64(exp)
	r.derive()
	return ballot{accepted: true, report: r}
}
