package main

import (
	"net"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

// An authority is an authorization server that can go away and come back at the
// same address. One goroutine at a time uses up and down.
type authority struct {
	*authserver.Server
	address string
	stop    func() error // nil while it is away
}

func newAuthority() (*authority, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &authority{address: l.Addr().String()}
	if a.Server, err = authserver.New("http://"+a.address, "ES256"); err != nil {
		_ = l.Close()
		return nil, err
	}
	a.stop = serve(l, a.Server)
	return a, nil
}

// up comes back. Somebody's outgoing connection may have the port for a moment,
// so it tries for some seconds.
func (a *authority) up() error {
	if a.stop != nil {
		return nil
	}
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for try := 1; ; try++ {
		l, err := net.Listen("tcp", a.address)
		if err == nil {
			a.stop = serve(l, a.Server)
			return nil
		}
		if try == 200 {
			return err
		}
		<-again.C
	}
}

// down goes away, and breaks the connections that are open.
func (a *authority) down() error {
	if a.stop == nil {
		return nil
	}
	stop := a.stop
	a.stop = nil
	return stop()
}
