package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/authserver"
	"github.com/seed-12ed5b1c/jwtguard/internal/peer"
)

const devHelp = `usage: jwtguard dev [flags]

Runs an issuer for development: its token endpoint gives any
client a token for any audience and scope, whatever the
secret, or without one. It binds the token to the key of a
DPoP proof that comes with the request. Prints what to write
into the API's verifier.Config, and how to get a token.
Everything is in memory: another start has other keys.

SIGHUP rotates the keys: a new one signs, and the one before
stays published. SIGINT and SIGTERM stop it.

  --addr HOST:PORT   where to listen; 127.0.0.1 and a free
                     port by default
  --expose           allows an address that other machines
                     reach: all of them can get any token
  --issuer URL       the issuer, if not http:// and the
                     address: the name that a container has
  --audience NAME    of tokens for which none was requested;
                     https://api.example.com by default
  --scope SCOPE      likewise, none by default; may be
                     repeated
  --lifetime 1h      of tokens; a negative one makes tokens
                     that have expired
  --algorithm NAME   that signs: ES256, RS256, EdDSA and
                     others; ES256 by default

Exit codes: 0 it was stopped; 2 wrong usage; 3 the address
cannot be used.
`

type devOptions struct {
	addr, issuer, audience, algorithm string
	scopes                            scopes
	lifetime                          time.Duration
	expose                            bool
}

func newDev(s *session) (*flag.FlagSet, action) {
	var o devOptions
	f := newFlags("dev")
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "")
	f.BoolVar(&o.expose, "expose", false, "")
	f.StringVar(&o.issuer, "issuer", "", "")
	f.StringVar(&o.audience, "audience", exampleAudience, "")
	f.Var(&o.scopes, "scope", "")
	f.DurationVar(&o.lifetime, "lifetime", time.Hour, "")
	f.StringVar(&o.algorithm, "algorithm", "ES256", "")
	return f, func(ctx context.Context, args []string) error { return s.dev(ctx, &o, args) }
}

func (s *session) dev(ctx context.Context, o *devOptions, args []string) error {
	if len(args) > 0 {
		return misuse("dev has flags only")
	}
	switch {
	case o.audience == "":
		return misuse("--audience is empty")
	case o.lifetime.Abs() < time.Second:
		return misuse("--lifetime is less than a second")
	}
	listener, err := o.listen(ctx)
	if err != nil {
		return err
	}
	defer listener.Close()
	issuer, path, err := o.names(listener.Addr())
	if err != nil {
		return err
	}
	server, err := authserver.New(issuer, o.algorithm)
	if err != nil {
		return misuse("%s", printable(strings.TrimPrefix(err.Error(), "authserver: ")))
	}
	server.AdmitAnyone(o.audience, o.scopes.list...)
	server.SetLifetime(o.lifetime)

	hangup, stop := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(hangup)
	defer signal.Stop(stop)

	web := &http.Server{
		Handler: o.gate(issuer, http.StripPrefix(path, server)), ReadTimeout: timeout, WriteTimeout: timeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }()
	s.welcome(o, server, listener.Addr())
	for {
		select {
		case <-hangup:
			if err := server.Rotate(""); err != nil {
				return err
			}
			kid, alg := server.Key()
			s.out.printf("rotated: %s, kid %q\n", alg, kid)
		case err := <-ended:
			return fail(exitUnavailable, "%v", err)
		case <-stop:
			return s.stop(web)
		case <-ctx.Done():
			return s.stop(web)
		}
	}
}

// stop waits a second at most for responses that have begun.
func (s *session) stop(web *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		_ = web.Close()
	}
	s.out.print("stopped\n")
	return nil
}

// listen refuses addresses that other machines reach, unless they are asked for.
func (o *devOptions) listen(ctx context.Context) (net.Listener, error) {
	host, _, err := net.SplitHostPort(o.addr)
	if err != nil {
		return nil, misuse("--addr is HOST:PORT, such as 127.0.0.1:9000")
	}
	if !o.expose && !peer.IsLoopback(host) {
		return nil, misuse("other machines reach the address %s, and could get any token. "+
			"Listen on 127.0.0.1, or add --expose.", quoted(o.addr))
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.addr)
	if err != nil {
		return nil, fail(exitUnavailable, "%s", printable(err.Error()))
	}
	// localhost is what the machine's files say.
	if at, ok := listener.Addr().(*net.TCPAddr); !o.expose && (!ok || !at.IP.IsLoopback()) {
		_ = listener.Close()
		return nil, misuse("%s is not a loopback address here", quoted(o.addr))
	}
	return listener, nil
}

// gate refuses what a web page can make a browser send: a request for a name that a
// page has pointed at this machine, which the browser takes for the page's own server,
// and a request for a token by any page.
func (o *devOptions) gate(issuer string, next http.Handler) http.Handler {
	own, _ := url.Parse(issuer) // names has read it
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := url.URL{Host: r.Host}
		from := r.Header.Get("Sec-Fetch-Site")
		switch {
		case !o.expose && !peer.IsLoopback(to.Hostname()) && !strings.EqualFold(to.Hostname(), own.Hostname()):
			http.Error(w, "jwtguard dev: the host is neither a loopback address nor that of --issuer", http.StatusMisdirectedRequest)
		case r.Method == http.MethodPost && (r.Header["Origin"] != nil || from != "" && from != "none"):
			http.Error(w, "jwtguard dev: no tokens for web pages", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:%@+=,-]+$`)

// shellWord quotes text for a shell, if it needs that. It has visible ASCII only.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// names returns the issuer, and the path that its URL has.
func (o *devOptions) names(at net.Addr) (issuer, path string, err error) {
	if issuer = o.issuer; issuer == "" {
		host, port, err := net.SplitHostPort(at.String())
		if err != nil {
			return "", "", err
		}
		if net.ParseIP(host).IsUnspecified() {
			host = "localhost"
		}
		issuer = "http://" + net.JoinHostPort(host, port)
	}
	if err := checkURL("issuer", issuer, true); err != nil {
		return "", "", misuse("%s", err)
	}
	u, err := url.Parse(issuer)
	if err != nil || u.RawQuery != "" {
		return "", "", misuse("the issuer has no query")
	}
	if address(issuer) != issuer { // it is printed in code and in commands
		return "", "", misuse("the issuer is written in visible ASCII, with %%20 for a space and punycode for a host, in at most %d bytes", maxShown)
	}
	return issuer, strings.TrimSuffix(u.Path, "/"), nil
}

// welcome prints what the developer needs. Its warning goes to stderr.
func (s *session) welcome(o *devOptions, server *authserver.Server, at net.Addr) {
	warn := "For development only: everyone who reaches " + at.String() + " gets any token."
	s.log.fold(warn, s.log.tinted(yellow, "!")+" ", "  ")
	kid, alg := server.Key()
	s.out.printf("issuer\n  %s\n  %s, kid %q\n", server.Issuer(), alg, kid)
	s.out.print("\nwrite into your program\n")
	for line := range strings.Lines(devConfig(server.Issuer(), o.audience)) {
		s.out.print("  " + line)
	}
	scope, field := "    --scope orders:read \\\n", " -d scope=orders:read"
	if len(o.scopes.list) > 0 {
		scope, field = "", "" // so that the token has those
	}
	s.out.print("\nget a token\n" +
		"  jwtguard token --style none --client-id orders \\\n" + scope +
		"    --issuer " + shellWord(server.Issuer()) + "\n")
	endpoint := strings.TrimSuffix(server.Issuer(), "/") + "/oauth/token"
	s.out.print("or\n  curl -s -d grant_type=client_credentials \\\n" +
		"    -d client_id=orders" + field + " \\\n" +
		"    " + shellWord(endpoint) + "\n")
	s.out.print("\nrotate the keys\n" +
		"  kill -HUP " + strconv.Itoa(os.Getpid()) + "\n")
}

// devConfig is the Go code that trusts the issuer.
func devConfig(issuer, audience string) string {
	code := fmt.Sprintf("cfg := verifier.Config{\n\tIssuer:    %s,\n\tAudiences: []string{%s},\n\tRFC9068:   true,\n}\n",
		strconv.QuoteToASCII(issuer), strconv.QuoteToASCII(audience))
	if u, err := url.Parse(issuer); err == nil && u.Scheme == "http" && !peer.IsLoopback(u.Hostname()) {
		code += "cfg.JWKS.AllowHTTP = true\n"
	}
	return code
}
