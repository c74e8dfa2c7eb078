package peer_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

func TestSet(t *testing.T) {
	s, err := peer.NewSet([]netip.Prefix{netip.MustParsePrefix("10.1.2.3/8"), netip.MustParsePrefix("fe80::/10")})
	require.NoError(t, err)
	for addr, want := range map[string]bool{
		"10.255.0.1:80": true, "[::ffff:10.0.0.1]:80": true, "[fe80::1%eth0]:80": true,
		"11.0.0.1:80": false, "[::1]:80": false, "10.0.0.1": false, "10.0.0.1:x": false, "localhost:80": false, "": false,
	} {
		assert.Equal(t, want, s.Has(addr), "B6 %s", addr)
	}
	assert.False(t, peer.Set{}.Has("10.0.0.1:80"), "B6 the empty set")
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.example.com": false, "0.0.0.0": false, "10.0.0.1": false, "2130706433": false, "127.0.0.1:80": false,
	} {
		assert.Equal(t, want, peer.IsLoopback(host), "K9 N5 %s", host)
	}
}
