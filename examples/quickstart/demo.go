package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
)

const tokenJSON = `{"client_id":"` + clientID + `","client_secret":"` + clientSecret +
	`","audience":"` + audience + `","grant_type":"client_credentials"}`

// A story is a running demo: where it prints, and what was not as promised.
type story struct {
	ctx    context.Context
	out    io.Writer
	log    *journal
	world  *world
	step   int
	rows   []row
	broken []error
}

// A row is one line of the final table: a case and each API's status.
type row struct {
	name     string
	want     int
	statuses []int
}

// free are addresses with any free port.
var free = addresses{"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"}

// demo shows the client-credentials grant step by step. It returns an error if anything
// is not as promised.
func demo(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	log := &journal{}
	w, err := build(ctx, free, log.logger())
	if err != nil {
		return err
	}
	s := &story{ctx: ctx, out: out, log: log, world: w}
	s.tell()
	s.table()
	return errors.Join(append(s.broken, w.close())...)
}

func (s *story) tell() {
	iss := s.world.issuer
	fmt.Fprintf(s.out, "An authorization server at %s, and one API in three frameworks:\n", s.world.authURL)
	for _, a := range s.world.apis {
		fmt.Fprintf(s.out, "  %-9s %s   GET /orders needs orders:read, POST /orders needs orders:write\n", a.framework, a.url)
	}

	s.title("The client asks for a token, as an integration guide shows it")
	fmt.Fprintf(s.out, "  $ %s\n", tokenCurl("", s.world.authURL))
	good := s.token("application/json", tokenJSON, false)
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {clientSecret}, "audience": {audience}}
	fmt.Fprintf(s.out, "  or as a form (RFC 6749 section 4.4.2)\n")
	s.token("application/x-www-form-urlencoded", form.Encode(), false)
	form.Del("client_id")
	form.Del("client_secret")
	fmt.Fprintf(s.out, "  or as a form with HTTP Basic (RFC 6749 section 2.3.1)\n")
	s.token("application/x-www-form-urlencoded", form.Encode(), true)

	fmt.Fprintf(s.out, "\n$API is each of the three addresses. Tokens are shortened. Lines that begin with\n\"log:\" are from the log of one API, at level DEBUG; clients do not see them.\n")
	s.title("It calls the APIs with that token")
	s.call("the right token", "GET", good, 200, "")
	s.title("Without a token")
	s.call("no token", "GET", "", 401, `Bearer realm="api"`)
	s.title("With tokens that are not valid here")
	s.call("expired", "GET", s.mint(iss, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}), 401, "invalid_token")
	s.call("wrong audience", "GET", s.mint(iss, map[string]any{"aud": "https://other.example.test"}), 401, "invalid_token")
	if stranger, err := authserver.New("https://login.example.net", "RS256"); s.ok(err) {
		s.call("wrong issuer", "GET", s.mint(stranger, nil), 401, "invalid_token")
	}
	s.call("tampered: scope changed to orders:write", "POST", tamper(good), 401, "invalid_token")
	s.title("With a token that lacks the scope for writing")
	s.call("missing scope", "POST", good, 403, `scope="orders:write"`)

	s.title("The authorization server rotates its key without warning")
	s.ok(iss.Rotate(""))
	renewed := s.token("application/json", tokenJSON, false)
	s.call("new key, first use", "GET", renewed, 200, "")
	s.call("old key, still published", "GET", good, 200, "")
	s.title("The authorization server goes down")
	s.ok(s.world.stopped())
	s.call("server down, new key", "GET", renewed, 200, "")
	s.call("server down, old key", "GET", good, 200, "")
	s.title("APIs that start now have no keys, so they cannot check tokens")
	_, err := s.world.serveAPIs(free, s.log.logger())
	if s.ok(err) {
		s.call("no keys yet", "GET", renewed, 503, "")
	}
}

func (s *story) title(text string) {
	s.step++
	fmt.Fprintf(s.out, "\n%d. %s\n", s.step, text)
}

// ok records err and reports whether it is nil.
func (s *story) ok(err error) bool {
	if err != nil {
		s.broken = append(s.broken, err)
	}
	return err == nil
}

// token requests a token over HTTP.
func (s *story) token(contentType, body string, basic bool) string {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.world.authURL+"/oauth/token", strings.NewReader(body))
	if !s.ok(err) {
		return ""
	}
	req.Header.Set("Content-Type", contentType)
	if basic {
		req.SetBasicAuth(clientID, clientSecret)
	}
	res, text, err := send(req)
	if !s.ok(err) {
		return ""
	}
	var granted struct {
		AccessToken string `json:"access_token"`
	}
	err = json.Unmarshal(text, &granted)
	if err != nil || res.StatusCode != http.StatusOK || granted.AccessToken == "" {
		s.broken = append(s.broken, fmt.Errorf("token request: %s", res.Status))
	}
	fmt.Fprintf(s.out, "    %d %s\n", res.StatusCode, strings.ReplaceAll(strings.TrimSpace(string(text)), granted.AccessToken, short(granted.AccessToken)))
	return granted.AccessToken
}

// mint makes a token that the token endpoint would not issue.
func (s *story) mint(iss *authserver.Server, change map[string]any) string {
	claims := iss.Claims(clientID, audience)
	claims["scope"] = "orders:read"
	for name, value := range change {
		claims[name] = value
	}
	raw, err := iss.Token(claims)
	s.ok(err)
	return raw
}

// A response is the part of a response that the demo prints and compares.
type response struct {
	status                      int
	challenge, retryAfter, body string
}

// call sends one request to each API and checks the responses: they are the same, with
// that status, and with that part of a challenge or, for 200, the client id.
func (s *story) call(name, method, token string, status int, challenge string) {
	r := row{name: name, want: status}
	bearer := ""
	if token != "" {
		bearer = ` -H 'authorization: Bearer ` + short(token) + `'`
	}
	fmt.Fprintf(s.out, "  %s: curl -X %s $API/orders%s\n", name, method, bearer)
	responses := make(map[response][]string) // and the frameworks that sent them
	for _, a := range s.world.apis {
		got := s.order(method, a.url, token)
		r.statuses = append(r.statuses, got.status)
		responses[got] = append(responses[got], a.framework)
	}
	for got, who := range responses {
		fmt.Fprintf(s.out, "    %d  from %s\n", got.status, strings.Join(who, ", "))
		if got.challenge != "" {
			fmt.Fprintf(s.out, "         WWW-Authenticate: %s\n", got.challenge)
		}
		if got.retryAfter != "" {
			fmt.Fprintf(s.out, "         Retry-After: %s\n", got.retryAfter)
		}
		fmt.Fprintf(s.out, "         %s\n", got.body)
		kept := strings.Contains(got.challenge, challenge)
		if status == http.StatusOK {
			kept = strings.Contains(got.body, `"client_id":"`+clientID+`"`)
		}
		if status == http.StatusServiceUnavailable {
			kept = got.challenge == "" && got.retryAfter != ""
		}
		if got.status != status || !kept {
			s.broken = append(s.broken, fmt.Errorf("%s: %s: %d %q %s", name, who, got.status, got.challenge, got.body))
		}
	}
	for _, line := range s.log.refusals(s.world.apis[0].framework) {
		fmt.Fprintf(s.out, "    log: %s\n", line)
	}
	if len(responses) > 1 {
		s.broken = append(s.broken, fmt.Errorf("%s: the frameworks respond differently", name))
	}
	s.rows = append(s.rows, r)
}

// order calls one API.
func (s *story) order(method, base, token string) response {
	req, err := http.NewRequestWithContext(s.ctx, method, base+"/orders", nil)
	if !s.ok(err) {
		return response{}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, body, err := send(req)
	if !s.ok(err) {
		return response{}
	}
	return response{res.StatusCode, res.Header.Get("WWW-Authenticate"), res.Header.Get("Retry-After"), strings.TrimSpace(string(body))}
}

func (s *story) table() {
	fmt.Fprintln(s.out)
	t := tabwriter.NewWriter(s.out, 0, 0, 3, ' ', 0)
	fmt.Fprint(t, "case\tpromised")
	for _, a := range s.world.apis {
		fmt.Fprint(t, "\t", a.framework)
	}
	fmt.Fprintln(t)
	for _, r := range s.rows {
		fmt.Fprintf(t, "%s\t%d", r.name, r.want)
		for _, status := range r.statuses {
			fmt.Fprint(t, "\t", status)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush()
	if len(s.broken) == 0 {
		fmt.Fprintln(s.out, "\nEverything is as promised.")
	}
}

func send(req *http.Request) (*http.Response, []byte, error) {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

// tamper changes a scope in the token, so that its signature no longer fits.
func tamper(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return token
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return token
	}
	claims = bytes.Replace(claims, []byte("orders:read"), []byte("orders:write"), 1)
	parts[1] = base64.RawURLEncoding.EncodeToString(claims)
	return strings.Join(parts, ".")
}

// short returns a part of each segment, so that a changed payload looks different.
func short(token string) string {
	dot := strings.LastIndexByte(token, '.')
	if dot < 30 || len(token)-dot < 10 {
		return token
	}
	return token[:8] + "..." + token[dot-6:dot+3] + "..." + token[len(token)-6:]
}
