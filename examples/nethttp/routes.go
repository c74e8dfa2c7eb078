package main

import (
	"encoding/json"
	"log/slog"
	"net/http"

	"github.com/seed-12ed5b1c/jwtguard/adapters/httpauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// claims are the custom claims of our issuer.
type claims struct {
	Tenant string `json:"tenant"`
}

func routes(log *slog.Logger, v *verifier.Verifier, cfg config) http.Handler {
	// OnError only logs the cause. It writes nothing, so the default response is sent.
	guard := httpauth.Middleware{OnError: func(_ http.ResponseWriter, r *http.Request, err *verifier.Error) {
		log.WarnContext(r.Context(), "refused", "method", r.Method, "route", r.Pattern, "status", err.Status(), "error", err)
	}}
	orders := verifier.Audience(cfg.orders)
	read := guard.Protect(v, orders, verifier.Scope("orders:read"))
	write := guard.Protect(v, orders, verifier.Scope("orders:write"))
	bill := guard.Protect(v, verifier.Audience(cfg.invoices),
		verifier.Client(cfg.invoiceClients...))

	api := api{log, guard}
	mux := http.NewServeMux()
	mux.Handle("GET /orders", read(http.HandlerFunc(api.listOrders)))
	mux.Handle("POST /orders", write(http.HandlerFunc(api.addOrder)))
	mux.Handle("GET /invoices", bill(http.HandlerFunc(api.listInvoices)))
	return mux
}

type api struct {
	log   *slog.Logger
	guard httpauth.Middleware // for refusals by handlers
}

func (a api) listOrders(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	c, err := verifier.ClaimsOf[claims](tok)
	if err != nil {
		a.guard.Refuse(w, r, err)
		return
	}
	a.log.InfoContext(r.Context(), "orders listed", "by", tok)
	writeJSON(w, http.StatusOK, map[string]any{"client_id": tok.ClientID(), "tenant": c.Tenant, "orders": []string{"o-1"}})
}

func (a api) addOrder(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	writeJSON(w, http.StatusCreated, map[string]any{"client_id": tok.ClientID(), "order": "o-2"})
}

func (a api) listInvoices(w http.ResponseWriter, r *http.Request) {
	tok, _ := httpauth.Token(r)
	writeJSON(w, http.StatusOK, map[string]any{"client_id": tok.ClientID(), "invoices": []string{"i-1"}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
