// Package peer recognizes machines by their addresses: proxies that are trusted, and this
// machine.
package peer

import (
	"errors"
	"net"
	"net/netip"
	"strings"
)

// A Set is a set of addresses. The zero value is empty.
type Set struct{ prefixes []netip.Prefix }

// NewSet returns the set of all addresses in prefixes.
func NewSet(prefixes []netip.Prefix) (s Set, err error) {
	for _, p := range prefixes {
		if !p.IsValid() {
			return s, errors.New("a prefix is not valid")
		}
		if p.Addr().Is4In6() { // to which Has compares nothing
			return s, errors.New("a prefix of IPv4 addresses in IPv6; write it in IPv4")
		}
		s.prefixes = append(s.prefixes, p.Masked())
	}
	return s, nil
}

// Has reports whether the address of a connection, as in http.Request.RemoteAddr, is in
// s. An IPv4 address in IPv6 is an IPv4 address, and a zone means nothing.
func (s Set) Has(remoteAddr string) bool {
	if len(s.prefixes) == 0 {
		return false
	}
	a, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return false
	}
	addr := a.Addr().Unmap().WithZone("")
	for _, p := range s.prefixes {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// IsLoopback reports whether host, of a URL and without its port, is this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
