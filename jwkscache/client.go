package jwkscache

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"
)

const ownTimeout = 10 * time.Second // of our own client, for a whole exchange

// newClient returns the client that fetches: our own, or a copy of the caller's
// that checks every hop of a redirect, after the caller's own policy.
func newClient(cfg Config) *http.Client {
	if cfg.HTTPClient == nil {
		return newOwnClient(cfg.SameOriginRedirects)
	}
	checked, policy := *cfg.HTTPClient, cfg.HTTPClient.CheckRedirect
	checked.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if policy != nil {
			if err := policy(req, via); err != nil {
				return err
			}
		} else if len(via) >= 10 { // as net/http does without a policy
			return errors.New("stopped after 10 redirects")
		}
		return checkHop(via[0].URL, req.URL, cfg.AllowHTTP)
	}
	return &checked
}

// newOwnClient returns a client that can do what fetching keys needs and no more.
// It keeps no connection, so there is nothing to close.
func newOwnClient(sameOrigin bool) *http.Client {
	return &http.Client{
		Timeout: ownTimeout,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			first := via[0].URL
			same := req.URL.Scheme == first.Scheme && req.URL.Host == first.Host
			switch {
			case same && sameOrigin && len(via) <= 3:
				return nil
			case same && sameOrigin:
				return &redirectError{newStatusError(req.Response), "the fourth redirect in a row"}
			case same:
				return &redirectError{newStatusError(req.Response), "set SameOriginRedirects to follow it"}
			}
			return &redirectError{newStatusError(req.Response), "not followed to another origin: configure the address that it leads to"}
		},
	}
}
