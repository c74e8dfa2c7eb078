package main

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/adapters/redisstore"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/revocation"
)

// routes are for clients.
func routes(p *protection) http.Handler {
	read := httpauth.Protect(p.verifier, verifier.Scope("orders:read"))
	revoke := httpauth.Protect(p.verifier, verifier.Scope("tokens:revoke"))
	mux := http.NewServeMux()
	mux.Handle("GET /orders", read(http.HandlerFunc(listOrders)))
	mux.Handle("POST /revocations", revoke(http.HandlerFunc(p.revoke)))
	return mux
}

func listOrders(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"client_id": tok.ClientID(), "orders": []string{"o-1"}})
}

// revoke revokes the token with an id, or the tokens that a client or a subject has got
// until now, on all replicas.
func (p *protection) revoke(w http.ResponseWriter, r *http.Request) {
	var what struct {
		TokenID  string `json:"token_id"`
		ClientID string `json:"client_id"`
		Subject  string `json:"subject"`
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10))
	body.DisallowUnknownFields()
	err := body.Decode(&what)
	if alone := what.ClientID+what.Subject == ""; err != nil || alone == (what.TokenID == "") {
		http.Error(w, "token_id, or one or both of client_id and subject, in JSON", http.StatusBadRequest)
		return
	}
	err = p.revocations.Revoke(r.Context(), revocation.Entry{
		Issuer: p.issuer, TokenID: what.TokenID, ClientID: what.ClientID, Subject: what.Subject,
	})
	if errors.Is(err, redisstore.ErrNotPublished) { // in force here, and everywhere when Redis is back
		p.log.WarnContext(r.Context(), "revoked here only", "error", err)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if err != nil { // the list is full
		p.log.ErrorContext(r.Context(), "not revoked", "error", err)
		http.Error(w, "not revoked: try again", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// internal is for the orchestrator and for operators.
func internal(p *protection) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(http.ResponseWriter, *http.Request) {}) // a restart brings no keys
	mux.Handle("GET /readyz", p.verifier.HealthHandler())
	mux.HandleFunc("GET /startupz", p.ready)
	mux.Handle("GET /status", p.status)
	return mux
}
