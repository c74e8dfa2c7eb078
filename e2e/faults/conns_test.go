package faults

import (
	"net"
	"net/http"
	"sync"
)

// connections counts a server's.
type connections struct {
	mu                   sync.Mutex
	accepted, open, peak int
}

func (c *connections) note(_ net.Conn, s http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch s {
	case http.StateNew:
		c.accepted++
		c.open++
		c.peak = max(c.peak, c.open)
	case http.StateClosed:
		c.open--
	}
}

func (c *connections) count() (accepted, open, peak int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted, c.open, c.peak
}
