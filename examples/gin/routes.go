package main

import (
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seed-12ed5b1c/jwtguard/adapters/ginauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// claims are the custom claims of our issuer.
type claims struct {
	Tenant string `json:"tenant"`
}

func routes(log *slog.Logger, v *verifier.Verifier, cfg config) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())
	// OnError only logs the cause. It writes nothing, so the default response is sent.
	guard := ginauth.Middleware{OnError: func(c *gin.Context, err *verifier.Error) {
		log.WarnContext(c.Request.Context(), "refused",
			"method", c.Request.Method, "route", c.FullPath(), "status", err.Status(), "error", err)
	}}
	api := api{log, guard}
	orders := r.Group("/orders", guard.Protect(v, verifier.Audience(cfg.orders)))
	orders.GET("", guard.Require(verifier.Scope("orders:read")), api.listOrders)
	orders.POST("", guard.Require(verifier.Scope("orders:write")), api.addOrder)
	bill := guard.Protect(v, verifier.Audience(cfg.invoices),
		verifier.Client(cfg.invoiceClients...))
	r.GET("/invoices", bill, api.listInvoices)
	return r
}

type api struct {
	log   *slog.Logger
	guard ginauth.Middleware // for refusals by handlers
}

func (a api) listOrders(c *gin.Context) {
	tok, _ := ginauth.Token(c)
	own, err := verifier.ClaimsOf[claims](tok)
	if err != nil {
		a.guard.Refuse(c, err)
		return
	}
	a.log.InfoContext(c.Request.Context(), "orders listed", "by", tok)
	c.JSON(http.StatusOK, gin.H{"client_id": tok.ClientID(), "tenant": own.Tenant, "orders": []string{"o-1"}})
}

func (a api) addOrder(c *gin.Context) {
	tok, _ := ginauth.Token(c)
	c.JSON(http.StatusCreated, gin.H{"client_id": tok.ClientID(), "order": "o-2"})
}

func (a api) listInvoices(c *gin.Context) {
	tok, _ := ginauth.Token(c)
	c.JSON(http.StatusOK, gin.H{"client_id": tok.ClientID(), "invoices": []string{"i-1"}})
}
