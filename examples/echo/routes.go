package main

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/seed-12ed5b1c/jwtguard/adapters/echoauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// claims are the custom claims of our issuer.
type claims struct {
	Tenant string `json:"tenant"`
}

func routes(log *slog.Logger, v *verifier.Verifier, cfg config) http.Handler {
	e := echo.New()
	// Logs the cause; Echo's default handler writes the response.
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		var refused *verifier.Error
		if errors.As(err, &refused) {
			log.WarnContext(c.Request().Context(), "refused",
				"method", c.Request().Method, "route", c.Path(), "status", refused.Status(), "error", refused)
		}
		e.DefaultHTTPErrorHandler(err, c)
	}
	api := api{log}
	orders := e.Group("/orders", echoauth.Protect(v, verifier.Audience(cfg.orders)))
	orders.GET("", api.listOrders, echoauth.Require(verifier.Scope("orders:read")))
	orders.POST("", api.addOrder, echoauth.Require(verifier.Scope("orders:write")))
	bill := echoauth.Protect(v, verifier.Audience(cfg.invoices),
		verifier.Client(cfg.invoiceClients...))
	e.GET("/invoices", api.listInvoices, bill)
	return e
}

type api struct{ log *slog.Logger }

func (a api) listOrders(c echo.Context) error {
	tok, _ := echoauth.Token(c)
	own, err := verifier.ClaimsOf[claims](tok)
	if err != nil {
		return echoauth.Refuse(c, err)
	}
	a.log.InfoContext(c.Request().Context(), "orders listed", "by", tok)
	return c.JSON(http.StatusOK, map[string]any{"client_id": tok.ClientID(), "tenant": own.Tenant, "orders": []string{"o-1"}})
}

func (a api) addOrder(c echo.Context) error {
	tok, _ := echoauth.Token(c)
	return c.JSON(http.StatusCreated, map[string]any{"client_id": tok.ClientID(), "order": "o-2"})
}

func (a api) listInvoices(c echo.Context) error {
	tok, _ := echoauth.Token(c)
	return c.JSON(http.StatusOK, map[string]any{"client_id": tok.ClientID(), "invoices": []string{"i-1"}})
}
