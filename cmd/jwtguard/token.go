package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/seed-12ed5b1c/jwtguard/internal/dpopkey"
)

const secretVariable = "JWTGUARD_CLIENT_SECRET"

const tokenHelp = `usage: jwtguard token --issuer URL --client-id ID [flags]
       jwtguard token --token-url URL --client-id ID [flags]

Gets an access token by client credentials (RFC 6749
section 4.4), and prints it and nothing else. The secret is
in the environment as JWTGUARD_CLIENT_SECRET, or in a file.

  --issuer URL        the issuer, whose metadata has the
                      address of the token endpoint
  --metadata-url URL  where the metadata is, if not at the
                      well-known places of the issuer
  --token-url URL     the token endpoint, instead
  --client-id ID      the client
  --secret-file FILE  the file with the secret; - is
                      standard input
  --audience NAME     the API; Auth0 and others need it
  --scope SCOPE       a scope; may be repeated
  --resource URL      the API by RFC 8707; may be repeated
  --style STYLE       how the secret is sent: basic (HTTP
                      Basic), form (in the body), json (as
                      Auth0's pages show) or none (there is
                      no secret, as with jwtguard dev);
                      without it what the metadata has,
                      else basic
  --dpop              get a token that is bound to a key
                      (RFC 9449): a new key for ES256,
                      which is then forgotten
  --dpop-key FILE     or this one: a private key in PEM, or
                      a JWK
  --proof METHOD URL  print, instead of the token, a curl
                      command for one request to the API,
                      with the token and a proof
  --nonce NONCE       the nonce of that proof, if the API
                      wants one
  --allow-http        plain http also to other hosts than
                      this one
  --json              print what the response says of the
                      token, but not the token

Exit codes: 0 there is a token; 1 the server refuses; 2
wrong usage; 3 the server is unavailable or no token server.
`

type tokenOptions struct {
	issuer, metadataURL, tokenURL  string
	clientID, audience, secretFile string
	scopes                         scopes
	resources                      list
	style                          choice
	dpopKey, proof, nonce          string
	allowHTTP, json, dpop          bool
}

func newToken(s *session) (*flag.FlagSet, action) {
	o := tokenOptions{style: choice{among: []string{"basic", "form", "json", "none"}}}
	f := newFlags("token")
	f.StringVar(&o.issuer, "issuer", "", "")
	f.StringVar(&o.metadataURL, "metadata-url", "", "")
	f.StringVar(&o.tokenURL, "token-url", "", "")
	f.StringVar(&o.clientID, "client-id", "", "")
	f.StringVar(&o.secretFile, "secret-file", "", "")
	f.StringVar(&o.audience, "audience", "", "")
	f.Var(&o.scopes, "scope", "")
	f.Var(&o.resources, "resource", "")
	f.Var(&o.style, "style", "")
	f.BoolVar(&o.dpop, "dpop", false, "")
	f.StringVar(&o.dpopKey, "dpop-key", "", "")
	f.StringVar(&o.proof, "proof", "", "")
	f.StringVar(&o.nonce, "nonce", "", "")
	f.BoolVar(&o.allowHTTP, "allow-http", false, "")
	f.BoolVar(&o.json, "json", false, "")
	return f, func(ctx context.Context, args []string) error { return s.token(ctx, &o, args) }
}

func (s *session) token(ctx context.Context, o *tokenOptions, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	secret := ""
	if o.style.value != "none" {
		var err error
		if secret, err = s.secret(o.secretFile); err != nil {
			return err
		}
	}
	var key *dpopkey.Key
	if o.dpop || o.dpopKey != "" {
		var err error
		if key, err = newDPoPKey(o.dpopKey); err != nil {
			return fail(exitUsage, "--dpop-key: %s", printable(err.Error()))
		}
	}
	client := newClient(newTransport())
	endpoint, style := o.tokenURL, o.style.value
	if endpoint == "" {
		m, err := discover(ctx, client, o.issuer, o.metadataURL)
		if err != nil {
			return err
		}
		if endpoint = m.TokenEndpoint; endpoint == "" {
			return fail(exitUsage, "the issuer's metadata has no token_endpoint: give --token-url")
		}
		if err := checkURL("token endpoint", endpoint, o.allowHTTP); err != nil {
			return fail(exitUsage, "%s", err)
		}
		if strings.HasPrefix(o.issuer, "https:") && !strings.HasPrefix(endpoint, "https:") && !o.allowHTTP {
			return fail(exitUsage, "the token endpoint %s is plain http, and the issuer is https", address(endpoint))
		}
		if style == "" {
			style = m.style()
		}
	}
	if style == "" {
		style = "basic"
	}
	r := &tokenRequest{
		endpoint: endpoint, style: style, clientID: o.clientID, secret: secret,
		audience: o.audience, scope: strings.Join(o.scopes.list, " "), resources: o.resources, key: key,
	}
	granted, err := r.send(ctx, client)
	if err != nil {
		return err
	}
	if o.json {
		return s.out.json(granted.view(r))
	}
	if note := granted.note(key); note != "" {
		s.log.fold("jwtguard token: "+note, "", "  ")
	}
	if key != nil {
		s.log.print("key: " + key.Alg + ", jkt " + key.Thumbprint() + "\n")
	}
	if o.proof == "" {
		s.out.print(granted.AccessToken + "\n")
		return nil
	}
	proof, err := proofFor(key, o.proof, args[0], granted.AccessToken, o.nonce)
	if err != nil {
		return err
	}
	s.out.print("curl -X " + o.proof + " -H " + shellWord("Authorization: DPoP "+granted.AccessToken) +
		" \\\n  -H " + shellWord("DPoP: "+proof) + " \\\n  " + shellWord(args[0]) + "\n")
	return nil
}

// methodName is what a method can be here; it is printed in a command.
var methodName = regexp.MustCompile(`^[A-Za-z]{1,20}$`)

func (o *tokenOptions) check(args []string) error {
	switch {
	case len(args) > 0 && o.proof == "":
		return misuse("token has flags only")
	case o.proof != "" && (len(args) != 1 || !methodName.MatchString(o.proof)):
		return misuse("--proof is followed by a method and a URL: --proof GET https://api.example.com/orders")
	case o.proof != "" && !o.dpop && o.dpopKey == "", o.nonce != "" && o.proof == "":
		return misuse("--proof is for --dpop or --dpop-key, and --nonce for --proof")
	case o.proof != "" && o.json:
		return misuse("--proof prints the token, and --json does not")
	case o.proof != "" && (!visible(args[0]) || checkURL("API's URL", args[0], true) != nil):
		return misuse("the API's URL has a scheme, http or https, and a host, and no user and no fragment, in visible ASCII")
	case o.nonce != "" && (!visible(o.nonce) || len(o.nonce) > 256):
		return misuse("--nonce is what the API sent in DPoP-Nonce")
	case o.clientID == "":
		return misuse("--client-id is missing")
	case o.issuer == "" && o.tokenURL == "":
		return misuse("--issuer or --token-url is missing")
	case o.issuer != "" && o.tokenURL != "":
		return misuse("--issuer and --token-url exclude each other")
	case o.metadataURL != "" && o.issuer == "":
		return misuse("--metadata-url is for --issuer")
	case o.style.value == "none" && o.secretFile != "":
		return misuse("--style none sends no secret")
	case o.style.value == "json" && len(o.resources) > 1:
		return misuse("--style json has one --resource at most")
	}
	// The issuer is only compared where the address of its metadata is given.
	issuer := o.issuer
	if o.metadataURL != "" {
		issuer = ""
	}
	for _, u := range []struct{ what, url string }{
		{"issuer", issuer}, {"metadata URL", o.metadataURL}, {"token URL", o.tokenURL},
	} {
		if u.url == "" {
			continue
		}
		if err := checkURL(u.what, u.url, o.allowHTTP); err != nil {
			return misuse("%s", err)
		}
	}
	return nil
}

// style returns how the server wants the secret: HTTP Basic, which every server must
// support (RFC 6749 §2.3.1), unless its metadata leaves that out.
func (m *metadata) style() string {
	if !slices.Contains(m.AuthMethods, "client_secret_basic") && slices.Contains(m.AuthMethods, "client_secret_post") {
		return "form"
	}
	return "basic"
}

// secret reads the client's secret from the file, or from the environment.
func (s *session) secret(file string) (string, error) {
	if file == "" {
		secret := s.getenv(secretVariable)
		if secret == "" {
			return "", misuse("there is no secret: set %s, give --secret-file, or --style none for a client without one", secretVariable)
		}
		return secret, nil
	}
	from := s.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fail(exitUsage, "%s", printable(err.Error()))
		}
		defer f.Close()
		from = f
	}
	const most = 64 << 10
	text, err := io.ReadAll(io.LimitReader(from, most+1))
	switch {
	case err != nil:
		return "", fail(exitUsage, "reading the secret: %s", printable(err.Error()))
	case len(text) > most:
		return "", fail(exitUsage, "the secret is over %d bytes", most)
	}
	text = bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
	if len(text) == 0 {
		return "", fail(exitUsage, "the secret is empty")
	}
	return string(text), nil
}
