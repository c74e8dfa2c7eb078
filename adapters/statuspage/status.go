package statuspage

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// maxProblems is how many problems are listed at the top of the page.
const maxProblems = 10

// A status is all that the page shows. The package documentation explains its members.
type status struct {
	Title        string           `json:"title"`
	Time         time.Time        `json:"time"`
	Started      time.Time        `json:"started"`
	Go           string           `json:"go"`
	Version      string           `json:"version,omitempty"`
	State        state            `json:"state"`
	Problems     []string         `json:"problems"`
	MoreProblems int              `json:"more_problems,omitempty"`
	Verifiers    []verifierStatus `json:"verifiers"`
	Refusals     []refusal        `json:"refusals"`
}

// A state is that of all, or that of one issuer, as "healthy/usable" and so on.
type state int

const (
	healthy state = iota
	degraded
	down
)

// MarshalText implements encoding.TextMarshaler.
func (s state) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s state) String() string { return [...]string{"healthy", "degraded", "down"}[s] }

type verifierStatus struct {
	Name        string      `json:"-"` // to tell several apart, else ""
	ID          string      `json:"-"`
	Issuers     []issuer    `json:"issuers"`
	MoreIssuers int         `json:"more_issuers,omitempty"`
	TokenCache  tokenCache  `json:"token_cache"`
	Revocation  *revocation `json:"revocation,omitempty"`
	Proofs      *proofs     `json:"proofs,omitempty"`
}

type tokenCache struct {
	Hits     int     `json:"hits"`
	Misses   int     `json:"misses"`
	HitRatio float64 `json:"hit_ratio"`
	Tokens   int     `json:"tokens"`
}

type revocation struct {
	Entries    int     `json:"entries"`
	MaxEntries int     `json:"max_entries"`
	Age        seconds `json:"age"`
	Refuses    bool    `json:"refuses"`
	Error      string  `json:"error,omitempty"`
}

type proofs struct {
	Recorded    int    `json:"recorded"`
	MaxRecorded int    `json:"max_recorded"`
	Replays     int    `json:"replays"`
	Full        int    `json:"full"`
	Error       string `json:"error,omitempty"`
}

// read reads the figures of all Verifiers that are watched.
func (p *Page) read() *status {
	s := &status{
		Title: printable(p.cfg.Title, maxName), Time: time.Now().UTC(), Started: p.started.UTC(),
		Go: runtime.Version(), Version: version(), Problems: []string{},
		Verifiers: []verifierStatus{}, Refusals: p.refusals.recent(),
	}
	all := p.verifiers()
	if len(all) == 0 {
		s.problem(degraded, "", "The program has not called Watch: there is no Verifier to show.")
	}
	for i, v := range all {
		vs := verifierStatus{ID: fmt.Sprintf("verifier-%d", i+1)}
		if len(all) > 1 {
			vs.Name = fmt.Sprintf("verifier %d", i+1)
		}
		s.addIssuers(&vs, v.Issuers())
		s.addFigures(&vs, v.Stats())
		s.Verifiers = append(s.Verifiers, vs)
	}
	return s
}

func (s *status) addFigures(vs *verifierStatus, f verifier.Stats) {
	vs.TokenCache = tokenCache{Hits: f.Hits, Misses: f.Misses, Tokens: f.Tokens}
	if all := f.Hits + f.Misses; all > 0 {
		vs.TokenCache.HitRatio = float64(f.Hits) / float64(all)
	}
	if r := f.Revocation; r != (verifier.RevocationStats{}) {
		vs.Revocation = &revocation{r.Entries, r.MaxEntries, seconds(r.Age), r.Refuses, errorText(r.Err)}
		switch {
		case r.Refuses:
			s.problem(down, vs.Name, "The list of revoked tokens refuses every token: requests get 503.")
		case r.Err != nil:
			s.problem(degraded, vs.Name, "The list of revoked tokens may be incomplete.")
		}
	}
	if f.Proofs != (verifier.ProofStats{}) {
		vs.Proofs = &proofs{f.Proofs.Proofs, f.Proofs.MaxProofs, f.Proofs.Replays, f.Proofs.Full, errorText(f.Proofs.Err)}
		if f.Proofs.MaxProofs > 0 && f.Proofs.Proofs >= f.Proofs.MaxProofs {
			s.problem(degraded, vs.Name, "The store of used DPoP proofs is full: requests with another proof get 503.")
		}
		if f.Proofs.Err != nil {
			s.problem(degraded, vs.Name, "Used DPoP proofs are not recorded where they should be.")
		}
	}
}

// problem notes a problem of a Verifier, and that the state is no better than st.
func (s *status) problem(st state, name, text string) {
	s.State = max(s.State, st)
	if len(s.Problems) == maxProblems {
		s.MoreProblems++
		return
	}
	if name != "" {
		text += " (" + name + ")"
	}
	s.Problems = append(s.Problems, text)
}

// ProblemCount counts those that are not listed too.
func (s *status) ProblemCount() int { return len(s.Problems) + s.MoreProblems }

// version returns the version of this module in the running program, "" if it is unknown.
var version = sync.OnceValue(func() string {
	const module = "github.com/seed-12ed5b1c/jwtguard"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range slices.Concat(info.Deps, []*debug.Module{&info.Main}) {
		if m.Path == module && m.Version != "(devel)" {
			return m.Version
		}
	}
	return ""
})
