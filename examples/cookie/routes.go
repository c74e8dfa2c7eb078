package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func routes(v *verifier.Verifier) http.Handler {
	read := httpauth.Protect(v, verifier.Scope("orders:read"))
	write := httpauth.Protect(v, verifier.Scope("orders:write"))
	var o orders
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", page)
	mux.HandleFunc("POST /session", logIn(v))
	mux.HandleFunc("DELETE /session", logOut)
	mux.Handle("GET /orders", read(http.HandlerFunc(o.count)))
	mux.Handle("POST /orders", write(http.HandlerFunc(o.add)))
	mux.Handle("GET /events", read(http.HandlerFunc(o.events)))

	// Outside of all: SameSite does not stop a page of another subdomain or port. It lets
	// GET pass, so GET must not change anything.
	return notStored(http.NewCrossOriginProtection().Handler(mux))
}

// notStored keeps responses out of caches. They keep one to a request with Authorization
// only if it allows that (RFC 9111 §3.5), but a cookie means nothing to them.
func notStored(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintln(w, "<!doctype html><title>Orders</title>")
}

type orders struct{ n atomic.Int64 }

func (o *orders) count(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, o.n.Load()) }

func (o *orders) add(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, o.n.Add(1)) }

// events is a stream that ends with the token. EventSource connects again then, gets 401
// and gives up, for the page to log in again.
func (o *orders) events(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := verifier.UntilExpiry(r.Context())
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: %d orders\n\n", o.n.Load())
	_ = http.NewResponseController(w).Flush()
	<-ctx.Done() // or the next order
	if context.Cause(ctx) == verifier.ErrExpired {
		fmt.Fprint(w, "event: expired\ndata: log in again\n\n")
	}
}
