package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

const cookieName = "__Host-token" // of the examples

// A browser is a tab of a Chromium that a test has for itself.
type browser struct{ ctx context.Context }

func startBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-quic", true))
	if os.Getuid() == 0 { // for which Chromium's sandbox does not work
		options = append(options, chromedp.NoSandbox)
	}
	ctx, end := context.WithTimeout(t.Context(), livesAtMost)
	t.Cleanup(end)
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(stop)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	require.NoError(t, chromedp.Do(ctx), "These tests need Chromium or Chrome in PATH: .ci/chromium gets it on Debian and Ubuntu.")
	return &browser{ctx}
}

func (b *browser) open(t *testing.T, url string) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Navigate(url)))
}

// run runs the body of an async function in the page, and returns what it returns.
func (b *browser) run(t *testing.T, body string, args ...any) string {
	t.Helper()
	expression := fmt.Sprintf("(async () => { "+body+" })().then(String)", args...)
	result, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise))
	require.NoError(t, err, expression)
	return result
}

// postForm submits a form of the page to another address, and returns the status of the
// page that the browser shows then.
func (b *browser) postForm(t *testing.T, action string) (status int64) {
	t.Helper()
	res, err := chromedp.RunResponse(b.ctx, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`
		const form = document.createElement('form');
		Object.assign(form, {method: 'post', action: %q});
		document.body.append(form);
		form.submit();`, action)))
	require.NoError(t, err)
	return int64(res.Status)
}

// setCookie gives the browser the cookie without Expires: that of a token which the
// leeway still admits has passed.
func (b *browser) setCookie(t *testing.T, url, token string) {
	t.Helper()
	yes := true
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, network.SetCookie, network.SetCookieParams{
			Name: cookieName, Value: token, URL: url, Path: "/", Secure: &yes, HTTPOnly: &yes, SameSite: network.CookieSameSiteStrict,
		})
		return err
	})))
}

// site returns the origin of a local server under the name localhost, which is another
// site than 127.0.0.1; another port of it is another origin of the same site.
func site(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	return "http://localhost:" + port
}

// strangers are pages of somebody else.
func strangers(t *testing.T) map[string]string {
	t.Helper()
	blank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!doctype html><title>You have won</title><body>")
	}))
	t.Cleanup(blank.Close)
	return map[string]string{
		"another site":                    "http://" + blank.Listener.Addr().String(),
		"another origin of the same site": site(t, blank.Listener.Addr().String()),
	}
}

// expiring is an exp that has passed, but that the leeway of a minute admits for ten more
// seconds.
func expiring() int64 { return time.Now().Add(-50 * time.Second).Unix() }

// count counts what a handler let through.
func count(n *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, n.Add(1)) })
}
