package verifier

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// HealthHandler returns a handler for readiness probes: the status is 200 while
// [Verifier.Health] returns nil, else 503. So the API stays in its load balancer while
// one of several issuers is down.
//
// It responds to GET and HEAD, without waiting and without a token, and to other methods
// with 405. The body is a JSON object with status, "ok" or "unavailable", and issuers, an
// array. Each configured issuer has in it: issuer; usable, whether its tokens can be
// checked; state, keys and age_seconds, the [jwkscache.State], number and age of its keys;
// and error, why they cannot be used or refreshed. With a [ManagedRevocation] it also has
// the object revocation: usable, false while the list refuses every token; entries,
// max_entries and age_seconds of the list; and error, why it may be incomplete. That is for
// operators: serve it on an internal port or path.
//
// Do not use it, or [Verifier.ReadyHandler], for liveness probes: a restart brings no
// issuer back, and drops keys that still serve.
func (v *Verifier) HealthHandler() http.Handler {
	v.mustBeMade()
	return healthHandler(func(usable, all int) bool { return usable > 0 || all == 0 }, v)
}

// ReadyHandler returns a handler for startup probes: the status is 200 while the tokens
// of every configured issuer can be checked, and no revocation list refuses them all, else
// 503. The rest is as with [Verifier.HealthHandler]. As a readiness probe, it takes the API
// away from the clients of all issuers as soon as the keys of one are too old.
func (v *Verifier) ReadyHandler() http.Handler {
	v.mustBeMade()
	return healthHandler(func(usable, all int) bool { return usable == all }, v)
}

// maxHealthError is how many bytes of an error's text are shown.
const maxHealthError = 500

type healthReport struct {
	Status     string            `json:"status"` // "ok" or "unavailable"
	Issuers    []issuerHealth    `json:"issuers"`
	Revocation *revocationHealth `json:"revocation,omitempty"` // of a ManagedRevocation
}

type revocationHealth struct {
	Usable     bool   `json:"usable"`
	Entries    int    `json:"entries"`
	MaxEntries int    `json:"max_entries"`
	AgeSeconds int64  `json:"age_seconds"`
	Error      string `json:"error,omitempty"`
}

// An issuerHealth has only issuer and usable if the keys are not ManagedKeys.
type issuerHealth struct {
	Issuer     string `json:"issuer"`
	Usable     bool   `json:"usable"`
	State      string `json:"state,omitempty"`
	Keys       *int   `json:"keys,omitempty"`
	AgeSeconds *int64 `json:"age_seconds,omitempty"` // since the last good fetch
	Error      string `json:"error,omitempty"`       // why it is not usable, else why the last fetch failed
}

func healthHandler(good func(usable, all int) bool, v *Verifier) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		report, usable := healthReport{Status: "ok", Issuers: []issuerHealth{}}, 0
		for _, p := range v.configured() {
			h := healthOf(p.status(), time.Now())
			if h.Usable {
				usable++
			}
			report.Issuers = append(report.Issuers, h)
		}
		refuses := false
		if s, managed := v.api.revocationStats(); managed {
			refuses = s.Refuses
			report.Revocation = &revocationHealth{!s.Refuses, s.Entries, s.MaxEntries, int64(s.Age / time.Second), healthText(s.Err)}
		}
		status := http.StatusOK
		if refuses || !good(usable, len(report.Issuers)) {
			status, report.Status = http.StatusServiceUnavailable, "unavailable"
		}
		body, _ := json.Marshal(report) // strings and numbers: it cannot fail
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		if r.Method == http.MethodGet {
			_, _ = w.Write(body)
		}
	})
}

func healthOf(s IssuerStatus, now time.Time) issuerHealth {
	h := issuerHealth{Issuer: s.Issuer, Usable: s.Err == nil, State: string(s.Keys.State)}
	err := s.Err
	if err == nil {
		err = s.Keys.LastError
	}
	h.Error = healthText(err)
	if h.State != "" {
		h.Keys = &s.Keys.Keys
	}
	if !s.Keys.LastSuccess.IsZero() {
		age := max(0, int64(now.Sub(s.Keys.LastSuccess)/time.Second))
		h.AgeSeconds = &age
	}
	return h
}

// healthText returns the text of err as far as it is shown, "" for nil.
func healthText(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxHealthError)], "")
}
