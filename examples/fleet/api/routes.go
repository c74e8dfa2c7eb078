package main

import (
	"encoding/json"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// routes are for clients.
func routes(p *protection) http.Handler {
	read := httpauth.Protect(p.verifier, verifier.Scope("orders:read"))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", read(http.HandlerFunc(listOrders)))
	return mux
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"client_id": tok.ClientID(), "orders": []string{"o-1"}})
}

// internal is for the orchestrator and for operators.
func internal(p *protection) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {}) // a restart brings no keys
	mux.Handle("GET /readyz", p.verifier.HealthHandler())
	mux.Handle("GET /startupz", p.verifier.ReadyHandler())
	return mux
}
