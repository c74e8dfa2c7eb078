package mcpauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestTools(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: stateless})
	read, both := s.token("orders:read"), s.token("orders:read orders:refund")
	const lacks = `error="insufficient_scope", error_description="The access token lacks a scope that this needs.", scope="orders:read orders:refund"`
	for _, row := range []struct {
		name, token, body string
		status            int
		challenge, ran    string
	}{
		{"H1 no token", "", call("list"), 401, `Bearer realm="api", scope="orders:read"`, ""},
		{"H1 no token, a tool with a rule", "", call("refund"), 401, `scope="orders:read"`, ""},
		{"H1 a token of another's", "rubbish", call("list"), 401, `error="invalid_token"`, ""},
		{"H1 without the scope of all tools", s.token("orders:refund"), call("refund"), 403, `scope="orders:read"`, ""},
		{"H1 a tool without a rule", read, call("list"), 200, "", "list"},
		{"H2 a tool with a rule", both, call("refund"), 200, "", "refund"},
		{"H2 its scope is missing", read, call("refund"), 403, lacks, ""},
		{"H2 a tool that does not exist", read, call("nothing"), 200, "", ""},
		{"H2 a prompt of the tool's name", read, `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"refund"}}`, 200, "", ""},
		{"H2 the list of tools", read, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 200, "", ""},
		{"H2 a batch, one is missing", read, "[" + call("list") + "," + strings.Replace(call("refund"), `:1`, `:2`, 1) + "]", 403, lacks, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s.tools()
			w := post(s, row.token, row.body)
			assertRefused(t, w, row.status, row.challenge)
			assert.Equal(t, row.ran, strings.Join(s.tools(), " "))
		})
	}
}

// H9: what is true of tools that are added after Protect.
func TestH9ToolsAddedLater(t *testing.T) {
	later := func(s *shop) {
		mcp.AddTool(s.mcp, &mcp.Tool{Name: "later"}, func(context.Context, *mcp.CallToolRequest, any) (*mcp.CallToolResult, any, error) {
			return text("ran"), nil, nil
		})
	}
	t.Run("H9 without an entry it cannot be called", func(t *testing.T) {
		s := newShop(t, mcpauth.Middleware{Tools: mcpauth.Tools{"list": nil, "refund": nil}, Options: stateless})
		later(s)
		assert.JSONEq(t, `{"code":-32602,"message":"unknown tool"}`, said(t, post(s, s.token("orders:read"), call("later"))))
		assert.Contains(t, said(t, post(s, s.token("orders:read"), call("list"))), "ran")
	})
	t.Run("H9 it has the rules of others", func(t *testing.T) {
		s := newShop(t, mcpauth.Middleware{Tools: mcpauth.Tools{"list": nil, mcpauth.Others: {verifier.Scope("x")}}, Options: stateless})
		later(s)
		for _, tool := range []string{"later", "refund", "nothing", mcpauth.Others} {
			assertRefused(t, post(s, s.token("orders:read"), call(tool)), 403, `scope="orders:read x"`)
		}
		assert.Equal(t, "ran", said(t, post(s, s.token("orders:read x"), call("later"))))
		assert.Contains(t, said(t, post(s, s.token("orders:read"), call("list"))), "ran")
	})
	t.Run("H9 without Tools it needs no more than Protect's rules", func(t *testing.T) {
		s := newShop(t, mcpauth.Middleware{Options: stateless})
		later(s)
		assert.Equal(t, "ran", said(t, post(s, s.token("orders:read"), call("later"))))
	})
}

// H3: the tool's rules are applied to the request as the SDK reads it, however the body
// is written, and whatever the header says. An honest body gets 403; none runs the tool.
func TestH3NoBodyGetsPastTheRules(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: stateless})
	read, both := s.token("orders:read"), s.token("orders:read orders:refund")
	wrap := func(members string) string { return `{"jsonrpc":"2.0","id":1,` + members + `}` }
	rows := map[string]struct {
		body   string
		status int  // without the scope
		runs   bool // with it
	}{
		"plain":                           {call("refund"), 403, true},
		"Unicode escapes in the name":     {wrap(`"method":"tools/call","params":{"name":"\u0072efun\u0064"}`), 403, true},
		"Unicode escapes in the members":  {wrap(`"m\u0065thod":"tools\/call","params":{"n\u0061me":"refund"}`), 403, true},
		"white space":                     {"\r\n\t " + wrap(` "method" : "tools/call" , "params" : { "name" : "refund" } `) + "\n", 403, true},
		"members in another order":        {`{"params":{"arguments":{"name":"list"},"name":"refund"},"method":"tools/call","id":1,"jsonrpc":"2.0"}`, 403, true},
		"two names, the last counts":      {wrap(`"method":"tools/call","params":{"name":"list","name":"refund"}`), 403, true},
		"two names, the first is refund":  {wrap(`"method":"tools/call","params":{"name":"refund","name":"list"}`), 200, false},
		"two params":                      {wrap(`"method":"tools/call","params":{"name":"list"},"params":{"name":"refund"}`), 403, true},
		"two params, the second is null":  {wrap(`"method":"tools/call","params":{"name":"refund"},"params":null`), 403, false},
		"two methods":                     {wrap(`"method":"ping","method":"tools/call","params":{"name":"refund"}`), 403, true},
		"two methods, the first counts":   {wrap(`"method":"tools/call","method":"ping","params":{"name":"refund"}`), 200, false},
		"a name of another case after it": {wrap(`"method":"tools/call","params":{"name":"refund","NAME":"list"}`), 200, true},
		"a method of another case after":  {wrap(`"method":"tools/call","METHOD":"ping","params":{"name":"refund"}`), 200, true},
		"params of another case after it": {wrap(`"method":"tools/call","params":{"name":"refund"},"Params":{"name":"list"}`), 200, true},
		"a name with U+017F":              {wrap(`"method":"tools/call","paramſ":{"name":"list"},"params":{"name":"refund"}`), 403, true},
		"two messages":                    {call("list") + call("refund"), 200, false},
		"two messages, the first counts":  {call("refund") + call("list"), 403, true},
		"a message and rubbish":           {call("refund") + "]", 403, true},
		"a batch of one":                  {"[" + call("refund") + "]", 403, true},
		"a batch with a broken one":       {"[1," + call("refund") + "]", 400, false},
		"a batch with a broken one last":  {"[" + call("refund") + ",1]", 403, false},
		"a batch of many":                 {"[" + strings.Repeat("0,", 1<<16) + call("refund") + "]", 400, false},
		"a batch of empty ones":           {"[" + strings.Repeat("{},", 1<<16) + call("refund") + "]", 400, false},
		"another version":                 {strings.Replace(call("refund"), "2.0", "1.0", 1), 400, false},
		"a batch and rubbish":             {"[" + call("refund") + "]]", 403, true},
		"a batch of two kinds":            {`[{"jsonrpc":"2.0","id":2,"method":"ping"},` + call("refund") + "]", 403, true},
		"a batch that ends early":         {"[" + call("refund") + ",", 403, false},
		"a batch in a batch":              {"[[" + call("refund") + "]]", 400, false},
		"another type before":             {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1,"name":"refund"}}`, 403, false},
		"a byte order mark":               {"\ufeff" + call("refund"), 400, false},
		"bad UTF-8 in the name":           {wrap(`"method":"tools/call","params":{"name":"refund` + "\xff" + `"}`), 200, false},
		"a zero byte in the name":         {wrap(`"method":"tools/call","params":{"name":"refund\u0000"}`), 200, false},
		"another case":                    {call("Refund"), 200, false},
		"no id":                           {`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"refund"}}`, 403, false},
		"nothing":                         {"", 400, false},
		"null":                            {"null", 400, false},
		"deep":                            {wrap(`"x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `,"method":"tools/call","params":{"name":"refund"}`), 400, false},
		"a megabyte before the name":      {wrap(`"method":"tools/call","params":{"arguments":{"x":"` + strings.Repeat("x", 1<<20) + `"},"name":"refund"}`), 403, true},
		"more than the limit":             {wrap(`"method":"tools/call","params":{"arguments":{"x":"` + strings.Repeat("x", 5<<20) + `"},"name":"refund"}`), 413, false},
	}
	for name, row := range rows {
		t.Run("H3 "+name, func(t *testing.T) {
			s.tools()
			w := post(s, read, row.body)
			assert.Equal(t, row.status, w.Code, w.Body)
			assert.NotContains(t, s.tools(), "refund")
			assert.NotContains(t, w.Body.String(), "configured")

			w = post(s, both, row.body)
			assert.Equal(t, row.runs, strings.Contains(fmt.Sprint(s.tools()), "refund"), w.Body)
		})
	}
	for _, version := range []string{"", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"} {
		t.Run("H3 a header that names another tool, version "+version, func(t *testing.T) {
			s.tools()
			fields := []string{"Mcp-Method", "tools/call", "Mcp-Name", "list"}
			if version != "" {
				fields = append(fields, "Mcp-Protocol-Version", version)
			}
			w := post(s, read, call("refund"), fields...)
			assertRefused(t, w, http.StatusForbidden, `scope="orders:read orders:refund"`)
			assert.Empty(t, s.tools())
			w = post(s, both, call("list"), append(fields, "Mcp-Name", "refund")...)
			assert.NotContains(t, s.tools(), "refund")
			assert.NotEqual(t, http.StatusForbidden, w.Code)
		})
	}
}

// misread is a call of refund that the SDK reads, and the endpoint does not.
var misread = strings.Replace(call("refund"), `"arguments"`, `"NAME":"list","arguments"`, 1)

// The error that a client sees of a call which only the SDK understood.
func TestH3RefusalsOfTheSDKsReading(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: stateless})
	w := post(s, s.token("orders:read"), misread)
	assert.JSONEq(t, `{"code":-32600,"message":"The access token lacks a scope that this needs.",
		"data":{"error":"insufficient_scope","error_description":"The access token lacks a scope that this needs."}}`, said(t, w))
}

// H3: of a body that is too long, no more than the limit is read, and a byte by the SDK.
func TestH3BodyLimit(t *testing.T) {
	for name, limit := range map[string]int64{"H3 the SDK's": mcp.DefaultMaxRequestBodyBytes, "H3 a smaller one": 1000, "H3 none": -1} {
		t.Run(name, func(t *testing.T) {
			options := *stateless
			if options.MaxRequestBodyBytes = limit; limit == mcp.DefaultMaxRequestBodyBytes {
				options.MaxRequestBodyBytes = 0
			}
			s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: &options})
			long := strings.NewReader(strings.Replace(call("refund"), "{}", `"`+strings.Repeat("x", 5<<20)+`"`, 1))
			size := long.Size()
			r := newRequest(http.MethodPost, s.token("orders:read"), "")
			r.Body = io.NopCloser(long)
			w := send(s, r)
			if limit < 0 {
				assert.Equal(t, http.StatusForbidden, w.Code)
				return
			}
			assert.Equal(t, http.StatusRequestEntityTooLarge, w.Code)
			assert.LessOrEqual(t, size-int64(long.Len()), limit+1)
		})
	}
}

// A body that fails while it is read fails in the SDK as it would have.
func TestBrokenBodies(t *testing.T) {
	s := newShop(t, mcpauth.Middleware{Tools: refundOnly, Options: stateless})
	r := newRequest(http.MethodPost, s.token("orders:read"), "")
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(call("refund")), brokenReader{}))
	w := send(s, r)
	assert.Equal(t, http.StatusBadRequest, w.Code)
	assert.Empty(t, s.tools())
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("the connection broke") }
