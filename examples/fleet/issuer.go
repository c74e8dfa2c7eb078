package main

import (
	"net"
	"net/http"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
)

const (
	audience = "https://api.example.test"
	client   = "shop"
)

// An issuer is an authorization server that can go away and return at the same address,
// with the same keys.
type issuer struct {
	*authserver.Server
	address string
	asked   func(path string) // is called for each request
	server  *http.Server
	done    chan struct{}
}

func newIssuer(asked func(path string)) (*issuer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	i := &issuer{address: l.Addr().String(), asked: asked}
	if i.Server, err = authserver.New("http://"+i.address, "ES256"); err != nil {
		return nil, err
	}
	i.serve(l)
	return i, nil
}

func (i *issuer) serve(l net.Listener) {
	i.done = make(chan struct{})
	i.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked(r.URL.Path)
		i.Server.ServeHTTP(w, r)
	})}
	go func() {
		defer close(i.done)
		_ = i.server.Serve(l) // returns when closed
	}()
}

// kill closes the port and all connections.
func (i *issuer) kill() error {
	err := i.server.Close()
	<-i.done
	return err
}

// restart ends kill.
func (i *issuer) restart() error {
	l, err := net.Listen("tcp", i.address)
	if err == nil {
		i.serve(l)
	}
	return err
}

// A token is one of the issuer's, with its jti. It is bound to key, unless that is nil.
type token struct {
	raw, id, kid string
	key          *dpopkey.Key
}

// grant makes a token that lives for an hour from now.
func (i *issuer) grant(key *dpopkey.Key, scope string, age time.Duration) (token, error) {
	claims := i.Claims(client, audience)
	claims["scope"] = scope
	claims["iat"] = time.Now().Add(-age).Unix()
	claims["exp"] = time.Now().Add(time.Hour - age).Unix()
	if key != nil {
		claims["cnf"] = map[string]string{"jkt": key.Thumbprint()}
	}
	kid, _ := i.Key()
	raw, err := i.Token(claims)
	return token{raw: raw, id: claims["jti"].(string), kid: kid, key: key}, err
}
