package mcpauth_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/adapters/mcpauth"
)

// FuzzBody: whatever a body is, a tool whose scope is missing does not run, and to
// requests that have it, the rules of tools change nothing.
func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		call("refund"), call("list"), "[" + call("refund") + "," + call("list") + "]", call("list") + call("refund"), "[[", "{}", "",
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list","name":"refund"}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\u0072efund","Name":"list"},"params":{}}`,
		`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call","params":{"name":"refund"}}`,
	} {
		f.Add(seed)
	}
	guarded := newShop(f, mcpauth.Middleware{Tools: refundOnly, Options: stateless})
	open := newShop(f, mcpauth.Middleware{Options: stateless})
	read, both := guarded.token("orders:read"), guarded.token("orders:read orders:refund")
	likewise := open.token("orders:read")
	f.Fuzz(func(t *testing.T, body string) {
		post(guarded, read, body)
		assert.NotContains(t, guarded.tools(), "refund")

		w, w2 := post(guarded, both, body), post(open, likewise, body)
		assert.Equal(t, w2.Code, w.Code)
		assert.Equal(t, slices.Sorted(slices.Values(open.tools())), slices.Sorted(slices.Values(guarded.tools())))
	})
}
