package mcpauth

import (
	"bytes"
	"encoding/json"
	"errors"
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
	Version string `json:"jsonrpc"`
	Method  string `json:"method"`
	Params  struct {
		Name string `json:"name"`
	} `json:"params"`
}

// calledTools returns the keys in tools of the tools that r calls, in one message or in a batch,
// each once, and restores the body that it reads. The SDK refuses what this cannot
// parse, and [enforce] checks what the SDK parses differently.
func calledTools(r *http.Request, tools Tools, limit int64) (keys []string) {
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
	dec := json.NewDecoder(bytes.NewReader(body))
	isBatch := bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("["))
	if isBatch {
		_, _ = dec.Token()
	}
	for dec.More() {
		var m message
		var otherType *json.UnmarshalTypeError // of a member that may not matter
		if err := dec.Decode(&m); err != nil && !errors.As(err, &otherType) || m.Version != "2.0" {
			break // the SDK refuses all of the body
		}
		key, ok := tools.entry(m.Params.Name)
		if ok && m.Method == "tools/call" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
		if !isBatch { // what follows the message, the SDK does not read
			break
		}
	}
	return keys
}
