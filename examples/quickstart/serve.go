package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
)

// serveUntil keeps all servers running until ctx is done.
func serveUntil(ctx context.Context, out io.Writer, at addresses, log *slog.Logger) error {
	w, err := build(ctx, at, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "authorization server  %s\n", w.authURL)
	for _, a := range w.apis {
		fmt.Fprintf(out, "%-20s  %s\n", a.framework+" API", a.url)
	}
	fmt.Fprintf(out, `
Get a token, and put it into a variable:

  %s
  TOKEN=$(%s | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

Call the APIs: 200 from each; then 403, because a scope is missing; then 401.

`, tokenCurl("", w.authURL), tokenCurl("-s", w.authURL))
	for _, a := range w.apis {
		fmt.Fprintf(out, "  curl -i %s/orders -H \"authorization: Bearer $TOKEN\"\n", a.url)
	}
	fmt.Fprintf(out, "  curl -i -X POST %s/orders -H \"authorization: Bearer $TOKEN\"\n", w.apis[0].url)
	fmt.Fprintf(out, "  curl -i %s/orders\n\nThe log says why a request is refused. Stop with Ctrl-C.\n", w.apis[0].url)
	<-ctx.Done()
	return w.close()
}

// tokenCurl returns the token request as a shell command.
func tokenCurl(flags, authURL string) string {
	if flags != "" {
		flags += " "
	}
	return fmt.Sprintf("curl %s-X POST %s/oauth/token -H 'content-type: application/json' -d '%s'", flags, authURL, tokenJSON)
}
