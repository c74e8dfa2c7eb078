package verifier

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-json-experiment/json"
)

// MetadataPath is the path of the metadata of a resource whose URL has no path. The
// metadata of other resources is below it: see [ServeMetadata].
const MetadataPath = "/.well-known/oauth-protected-resource"

// metadataMaxAge is how long clients may keep metadata, in seconds.
const metadataMaxAge = "3600"

// ServeMetadata serves the protected resource metadata (RFC 9728 §3) of the Resources of
// verifiers, and reports whether r was a request for it; if not, it writes nothing. It is
// for adapters. Their Protect and Optional call it before the Guard, so that the metadata
// is public even where the whole API is protected; their HandleMetadata adds it to a
// router, for APIs in which only some routes are protected. A nil Verifier has none.
//
// The path of a document is [MetadataPath] followed by the path of the resource's URL, and
// its query is the query of that URL (RFC 9728 §3.1). The host of r is compared only if
// several resources have the path. Pages of any origin may read the response (CORS), and
// caches may keep it for an hour. Methods other than GET, HEAD and OPTIONS get 405.
func ServeMetadata(w http.ResponseWriter, r *http.Request, verifiers ...*Verifier) bool {
	for _, v := range verifiers {
		if v != nil && v.api != nil && v.api.resources != nil {
			return serveMetadata(w, r, verifiers)
		}
	}
	return false
}

func serveMetadata(w http.ResponseWriter, r *http.Request, verifiers []*Verifier) bool {
	res := resourceAt(r, verifiers)
	if res == nil {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Del("Access-Control-Allow-Credentials") // of a middleware outside; it does not go with "*"
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS")
		h.Set("Access-Control-Allow-Headers", "*")
		h.Set("Access-Control-Max-Age", metadataMaxAge)
		h.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusNoContent)
		return true
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	document := *res.metadata.Load()
	h.Set("Cache-Control", "public, max-age="+metadataMaxAge)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(document)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(document)
	}
	return true
}

// resourceAt returns the resource whose metadata r is for, or nil.
func resourceAt(r *http.Request, verifiers []*Verifier) *resource {
	if !strings.HasPrefix(r.URL.Path, MetadataPath) {
		return nil
	}
	var there []*resource
	path := r.URL.EscapedPath()
	for _, v := range verifiers {
		if v != nil && v.api != nil {
			for _, res := range v.api.resources {
				if res.path == path {
					there = append(there, res)
				}
			}
		}
	}
	queries := []string{r.URL.RawQuery, ""}
	for _, query := range queries {
		for _, res := range withQuery(there, query) {
			if res.host == hostOf(r.Host, strings.HasPrefix(res.URL, "https:")) {
				return res
			}
		}
	}
	for _, query := range queries { // behind a proxy, r may have another host
		switch of := withQuery(there, query); len(of) {
		case 0:
		case 1:
			return of[0]
		default:
			return nil
		}
	}
	return nil
}

func withQuery(all []*resource, query string) (of []*resource) {
	for _, res := range all {
		if res.query == query {
			of = append(of, res)
		}
	}
	return of
}

// A resource is a Resource that was checked.
type resource struct {
	Resource
	document          string // its address (RFC 9728 §3.1)
	host, path, query string // of document
	servers           []string
	algorithms        []string // of DPoP proofs
	certificates      bool     // tokens bound to certificates are confirmed
	onlyProofs        bool     // no other token than those with proofs is accepted

	mu       sync.Mutex // guards writing
	scopes   []string   // sorted
	metadata atomic.Pointer[[]byte]
}

// maxScopes is how many scopes of rules the metadata lists at most: a program may make
// rules at every request.
const maxScopes = 256

// addScopes adds scopes of rules to the metadata, unless Resource.Scopes is set.
func (res *resource) addScopes(scopes []string) {
	if res.Scopes != nil {
		return
	}
	res.mu.Lock()
	defer res.mu.Unlock()
	isNew := false
	for _, s := range scopes {
		if i, found := slices.BinarySearch(res.scopes, s); !found && len(res.scopes) < maxScopes {
			res.scopes, isNew = slices.Insert(res.scopes, i, s), true
		}
	}
	if isNew {
		res.write()
	}
}

// write makes the metadata (RFC 9728 §2).
func (res *resource) write() {
	text, err := json.Marshal(struct {
		Resource      string   `json:"resource"`
		Servers       []string `json:"authorization_servers,omitempty"`
		Scopes        []string `json:"scopes_supported,omitempty"`
		Methods       []string `json:"bearer_methods_supported"`
		Name          string   `json:"resource_name,omitempty"`
		Documentation string   `json:"resource_documentation,omitempty"`
		Certificates  bool     `json:"tls_client_certificate_bound_access_tokens,omitzero"`
		Algorithms    []string `json:"dpop_signing_alg_values_supported,omitempty"`
		OnlyProofs    bool     `json:"dpop_bound_access_tokens_required,omitzero"`
	}{res.URL, res.servers, res.scopes, []string{"header"}, res.Name, res.Documentation, res.certificates, res.algorithms, res.onlyProofs})
	if err != nil {
		panic("verifier: " + err.Error()) // cannot happen: the strings were checked
	}
	res.metadata.Store(&text)
}
