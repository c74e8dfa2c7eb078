package mcpauth

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// bodyLimit returns how many bytes of a body are read, which is the SDK's limit.
func bodyLimit(o mcp.StreamableHTTPOptions) int64 {
	switch {
	case o.MaxRequestBodyBytes == 0:
		return mcp.DefaultMaxRequestBodyBytes
	case o.MaxRequestBodyBytes < 0: // none
		return math.MaxInt64
	}
	return o.MaxRequestBodyBytes
}

// A message is what matters here of a JSON-RPC message.
type message struct {
	Method string `json:"method"`
	Params struct {
		Name string `json:"name"`
	} `json:"params"`
}

// calledTools returns the lines of the tools that r calls, in one message or in a batch,
// each once, and restores the body that it reads. What it cannot read, the SDK refuses;
// what it reads otherwise than the SDK, [enforce] finds.
func calledTools(r *http.Request, tools Tools, limit int64) (lines []string) {
	if r.Body == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit))
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	if err != nil {
		return nil
	}
	batch := make([]message, 1)
	if body = bytes.TrimLeft(body, " \t\r\n"); len(body) > 0 && body[0] == '[' {
		_ = json.Unmarshal(body, &batch)
	} else {
		_ = json.Unmarshal(body, &batch[0])
	}
	for _, m := range batch {
		line, ok := tools.line(m.Params.Name)
		if ok && m.Method == "tools/call" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
