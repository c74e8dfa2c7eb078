package statuspage

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// What is shown of each, so that no number of tenants or keys makes the page large.
const (
	maxIssuers  = 50 // of a Verifier
	maxKeys     = 16 // of an issuer
	maxWarnings = 8  // of an issuer
)

// maxClockDifference is the default leeway of package verifier.
const maxClockDifference = time.Minute

type issuer struct {
	ID     string      `json:"-"`
	Issuer string      `json:"issuer"`
	Tenant bool        `json:"tenant"`
	State  issuerState `json:"state"`
	Error  string      `json:"error,omitempty"`

	Managed bool `json:"managed"`
	*keySet
}

// A keySet is what is known of keys that the program manages.
type keySet struct {
	KeysState    jwkscache.State `json:"keys_state"`
	Keys         []key           `json:"keys"`
	MoreKeys     int             `json:"more_keys,omitempty"`
	Warnings     []warning       `json:"warnings"`
	MoreWarnings int             `json:"more_warnings,omitempty"`

	LastRefresh time.Time `json:"last_refresh,omitzero"`
	NextRefresh time.Time `json:"next_refresh,omitzero"`
	Period      seconds   `json:"period,omitempty"`
	LastError   string    `json:"last_error,omitempty"`
	Fetches     int       `json:"fetches"`
	Failures    int       `json:"failures"`
	UnknownKeys int       `json:"unknown_keys"`

	ClockDifference seconds `json:"clock_difference"`
	Store           *store  `json:"store,omitempty"`
}

type store struct {
	Age       seconds `json:"age,omitempty"`
	Adopted   int     `json:"adopted"`
	Saves     int     `json:"saves"`
	Failures  int     `json:"failures"`
	LastError string  `json:"last_error,omitempty"`
}

// NextText says when the next refresh is, if there is no time of it.
func (k *keySet) NextText() string {
	if k.Fetches > 0 && k.KeysState != jwkscache.Closed {
		return "running"
	}
	return "none"
}

type key struct {
	KeyID      string    `json:"kid"`
	Type       string    `json:"type"`
	Algorithms []string  `json:"algorithms"`
	Use        string    `json:"use,omitempty"`
	FirstSeen  time.Time `json:"first_seen,omitzero"`
}

type warning struct {
	Text string `json:"text"`
	Used bool   `json:"used"`
}

// An issuerState is the state of one issuer.
type issuerState string

const (
	usable   issuerState = "usable"
	failing  issuerState = "failing"
	unusable issuerState = "unusable"
)

// severity returns what the state of one issuer is for all.
func (s issuerState) severity() state {
	switch s {
	case usable:
		return healthy
	case failing:
		return degraded
	}
	return down
}

func stateOf(i *verifier.IssuerStatus) issuerState {
	switch {
	case i.Err != nil:
		return unusable
	case i.Keys.LastError != nil || i.Keys.State == jwkscache.Stale:
		return failing
	}
	return usable
}

// addIssuers adds the issuers of a Verifier, and their problems.
func (s *status) addIssuers(vs *verifierStatus, all []verifier.IssuerStatus) {
	configured, checkable := 0, 0
	for i := range all {
		if !all[i].Tenant {
			configured++
			if all[i].Err == nil {
				checkable++
			}
		}
	}
	if configured > 0 && checkable == 0 {
		s.problem(down, vs.Name, "No configured issuer's tokens can be checked: requests get 503.")
	}
	// Those with problems must be among the shown.
	slices.SortStableFunc(all, func(a, b verifier.IssuerStatus) int {
		return cmp.Compare(stateOf(&b).severity(), stateOf(&a).severity())
	})
	for i := range all {
		s.addProblem(vs.Name, &all[i])
	}
	vs.MoreIssuers = max(len(all)-maxIssuers, 0)
	all = all[:len(all)-vs.MoreIssuers]
	// This order does not change when a problem ends.
	slices.SortFunc(all, func(a, b verifier.IssuerStatus) int {
		if a.Tenant != b.Tenant {
			if b.Tenant {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Issuer, b.Issuer)
	})
	vs.Issuers = make([]issuer, 0, len(all))
	for i := range all {
		vs.Issuers = append(vs.Issuers, describe(fmt.Sprintf("%s-issuer-%d", vs.ID, i+1), &all[i]))
	}
}

func (s *status) addProblem(name string, i *verifier.IssuerStatus) {
	what := printable(i.Issuer, maxName)
	switch {
	case i.Err != nil:
		s.problem(degraded, name, what+": its tokens cannot be checked.")
	case i.Keys.LastError != nil:
		s.problem(degraded, name, what+": the last fetch of its keys failed.")
	case i.Keys.State == jwkscache.Stale:
		s.problem(degraded, name, what+": a refresh of its keys is overdue.")
	}
	if i.Keys.Store.LastError != nil {
		s.problem(degraded, name, what+": the store of its keys cannot be used.")
	}
	if d := i.Keys.ClockDifference; d.Abs() > maxClockDifference {
		s.problem(degraded, name, what+": its clock differs from this machine's by "+period(d.Abs())+".")
	}
}

func describe(id string, i *verifier.IssuerStatus) issuer {
	d := issuer{
		ID: id, Issuer: printable(i.Issuer, maxName), Tenant: i.Tenant, State: stateOf(i), Error: errorText(i.Err),
	}
	if i.Keys.State == "" {
		return d
	}
	d.Managed, d.keySet = true, describeKeys(&i.Keys)
	return d
}

func describeKeys(s *jwkscache.Stats) *keySet {
	k := &keySet{
		KeysState: s.State, Keys: []key{}, Warnings: []warning{},
		LastRefresh: s.LastSuccess.UTC(), NextRefresh: s.NextRefresh.UTC(), Period: seconds(s.Period), LastError: errorText(s.LastError),
		Fetches: s.Fetches, Failures: s.Failures, UnknownKeys: s.UnknownKeys, ClockDifference: seconds(s.ClockDifference),
	}
	for _, info := range s.KeySet[:min(len(s.KeySet), maxKeys)] {
		k.Keys = append(k.Keys, key{
			printable(info.KeyID, maxName), printable(info.Type, maxName), append([]string{}, info.Algorithms...), printable(info.Use, maxName), info.FirstSeen.UTC(),
		})
	}
	k.MoreKeys = max(s.Keys, len(s.KeySet)) - len(k.Keys)
	for _, w := range s.KeyWarnings[:min(len(s.KeyWarnings), maxWarnings)] {
		k.Warnings = append(k.Warnings, warning{printable(w.Text, maxError), w.Used})
	}
	if s.Store != (jwkscache.StoreStats{}) {
		k.Store = &store{seconds(s.Store.Age), s.Store.Adopted, s.Store.Saves, s.Store.Failures, errorText(s.Store.LastError)}
	}
	k.MoreWarnings = len(s.KeyWarnings) - len(k.Warnings)
	return k
}
