package statuspage

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Config configures [New]. The zero value is ready to use.
type Config struct {
	// Title is the heading of the page. Name the API and the replica. Empty means
	// "jwtguard".
	Title string
}

// A Page is an http.Handler that shows one or several Verifiers. It is safe for concurrent
// use.
type Page struct {
	cfg      Config
	started  time.Time
	refusals *refusals

	mu      sync.Mutex // guards watched
	watched []*verifier.Verifier
}

// New returns a page that shows no Verifier yet: see [Page.Watch].
func New(c Config) *Page {
	if c.Title == "" {
		c.Title = "jwtguard"
	}
	return &Page{cfg: c, started: time.Now(), refusals: newRefusals()}
}

// Observe counts d if it is a refusal; it is for verifier.Settings.Observe. It allocates
// nothing.
func (p *Page) Observe(_ context.Context, d verifier.Decision) {
	switch d.Outcome {
	case verifier.OutcomeAdmitted, verifier.OutcomeAnonymous:
	default:
		p.refusals.add(d.Reason)
	}
}

// Watch shows v from now on, after those watched before. Watching one again changes
// nothing. It panics if v is nil.
func (p *Page) Watch(v *verifier.Verifier) {
	if v == nil {
		panic("statuspage: Watch: nil Verifier")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.watched, v) {
		p.watched = append(p.watched, v)
	}
}

func (p *Page) verifiers() []*verifier.Verifier {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.watched)
}
