package differential

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// A library answers what is asked of each. open reads a key set; the function
// that it returns checks one token and may be called concurrently.
type library struct {
	name string
	open func(jwks string) (check, error)
}

type check func(token string) (report, error)

// A report is what a library says of an accepted token.
type report struct {
	Issuer, Subject, ID, ClientID string
	Audience, Scopes              []string
	Expiry                        int64          // in seconds
	Claims                        map[string]any // all of them, as encoding/json has it
}

// A ballot is one library's answer to one case.
type ballot struct {
	accepted, panicked bool
	report             report
	why                string // of a refusal
}

// poll asks l about all samples, two at a time.
func poll(l library, samples []sample) []ballot {
	ballots := make([]ballot, len(samples))
	var sets sync.Map // from the text to a func() (check, error)
	var wg sync.WaitGroup
	const workers = 2
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(samples); i += workers {
				open, _ := sets.LoadOrStore(samples[i].jwks, sync.OnceValues(func() (c check, err error) {
					defer recoverTo(&err)
					return l.open(samples[i].jwks)
				}))
				ballots[i] = ask(open.(func() (check, error)), samples[i].token)
			}
		})
	}
	wg.Wait()
	return ballots
}

const panicPrefix = "panic: "

func recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf(panicPrefix+"%v", r)
	}
}

func ask(open func() (check, error), token string) ballot {
	r, err := func() (r report, err error) {
		defer recoverTo(&err)
		c, err := open()
		if err != nil {
			return report{}, err
		}
		return c(token)
	}()
	if err != nil {
		return ballot{why: err.Error(), panicked: strings.HasPrefix(err.Error(), panicPrefix)}
	}
	return ballot{accepted: true, report: r}
}

// derive fills in what libraries leave to the application: the client id and
// the scopes.
func (r *report) derive() {
	for _, name := range []string{"client_id", "azp"} {
		if s, ok := r.Claims[name].(string); ok && r.ClientID == "" {
			r.ClientID = s
		}
	}
	for _, name := range []string{"scope", "scp"} {
		for _, scope := range scopes(r.Claims[name]) {
			if name == "scope" || !slices.Contains(r.Scopes, scope) {
				r.Scopes = append(r.Scopes, scope)
			}
		}
	}
}

func scopes(claim any) (list []string) {
	switch c := claim.(type) {
	case string:
		list = strings.Split(c, " ")
	case []any:
		list = texts(c)
	}
	return slices.DeleteFunc(list, func(s string) bool { return s == "" })
}

// texts are the strings of a claim that is one or an array of them.
func texts(claim any) (list []string) {
	switch c := claim.(type) {
	case string:
		return []string{c}
	case []any:
		for _, v := range c {
			if s, ok := v.(string); ok {
				list = append(list, s)
			}
		}
	}
	return list
}
