package web

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/adapters/statuspage"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// hostileTitle would change the page's title and request something, were it markup.
const hostileTitle = `<script>document.title = "owned"</script><img src="/owned">`

// An operator looks at a status page in a browser.
type operator struct {
	*browser
	iss    *verifiertest.Issuer
	v      *verifier.Verifier
	server *httptest.Server
	broken atomic.Int64 // the status of all responses; 0 none, -1 the connection breaks

	mu       sync.Mutex
	requests []string // that the browser sent
	errors   []string // in its console
	loads    atomic.Int64
}

func startOperator(t *testing.T) *operator {
	o := &operator{iss: verifiertest.NewIssuer(t)}
	status := statuspage.New(statuspage.Config{Title: hostileTitle})
	second := verifiertest.NewIssuer(t)
	var err error
	o.v, err = verifier.Settings{Observe: status.Observe, Logger: slog.New(slog.DiscardHandler)}.New(o.iss.Config(audience), second.Config(audience))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, o.v.Close()) })
	status.Watch(o.v)
	require.NoError(t, o.v.Ready(t.Context()))
	_, err = o.v.Verify(t.Context(), "junk")
	require.Error(t, err)
	o.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.loads.Add(1)
		switch code := o.broken.Load(); code {
		case 0:
			status.ServeHTTP(w, r)
		case -1:
			panic(http.ErrAbortHandler)
		default:
			http.Error(w, "broken", int(code))
		}
	}))
	t.Cleanup(o.server.Close)

	o.browser = startBrowser(t)
	require.NoError(t, chromedp.Listen(o.ctx, func(event any) {
		o.mu.Lock()
		defer o.mu.Unlock()
		switch e := event.(type) {
		case *network.EventRequestWillBeSent:
			o.requests = append(o.requests, e.Request.URL)
		case *log.EventEntryAdded:
			o.errors = append(o.errors, e.Entry.Text)
		case *runtime.EventExceptionThrown:
			o.errors = append(o.errors, e.ExceptionDetails.Text)
		case *runtime.EventConsoleAPICalled:
			o.errors = append(o.errors, string(e.Type))
		}
	}))
	// The page's 5 seconds are half a second here, and what it says to screen readers is kept.
	call(t, o.browser, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: `
		const inTime = window.setTimeout;
		window.setTimeout = (f, ms) => inTime(f, ms === 5000 ? 500 : ms);
		window.said = [];
		document.addEventListener('DOMContentLoaded', () => {
			for (const live of document.querySelectorAll('[role=status], [role=alert], [aria-live]')) {
				new MutationObserver(() => said.push(live.textContent)).observe(live, {childList: true, subtree: true, characterData: true});
			}
		});`})
	o.open(t, o.url())
	return o
}

// url is where the page is; the user has mounted it at any path.
func (o *operator) url() string { return o.server.URL + "/internal/status?a=1" }

func call[P, R any](t *testing.T, b *browser, c cdp.Command[P, R], params P) (result R) {
	t.Helper()
	require.NoError(t, chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) (err error) {
		result, err = cdp.Call(ctx, tab, c, params)
		return err
	})))
	return result
}

func (o *operator) text(t *testing.T) string { return o.run(t, `return document.body.innerText`) }

// shows waits until the page has a text.
func (o *operator) shows(t *testing.T, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(o.text(t), text) }, 30*time.Second, 50*time.Millisecond, text)
}

// updates waits for two updates from now on, so that the last one began after it.
func (o *operator) updates(t *testing.T) {
	t.Helper()
	n := o.loads.Load()
	require.Eventually(t, func() bool { return o.loads.Load() >= n+3 }, 30*time.Second, 20*time.Millisecond)
}

func TestStatusPageUpdates(t *testing.T) {
	o := startOperator(t)
	kid, _ := o.iss.Key()
	require.Contains(t, o.text(t), kid)
	assert.Equal(t, hostileTitle, o.run(t, `return document.querySelector('h1').textContent`), "Y3")
	assert.Equal(t, "Healthy: "+hostileTitle, o.run(t, `return document.title`), "Y3")

	t.Run("Y6 focus, scroll positions and selection stay", func(t *testing.T) {
		call(t, o.browser, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 360, Height: 500, DeviceScaleFactor: 1})
		const state = `
			const {anchorNode, anchorOffset, focusNode, focusOffset} = getSelection();
			return JSON.stringify([document.activeElement.getAttribute('aria-labelledby'), document.activeElement.scrollLeft, scrollY,
				anchorNode === first, anchorOffset, focusNode === last, focusOffset])`
		o.run(t, `
			const region = document.querySelector('.scroll');
			region.focus();
			region.scrollLeft = 40;
			scrollTo(0, 230);
			window.first = document.querySelector('.overview time').firstChild;
			window.last = document.querySelector('dd time').firstChild; // of the last refresh
			getSelection().setBaseAndExtent(first, 3, last, 1);`)
		before := o.run(t, state)
		require.Equal(t, `["verifier-1-issuer-1-keys",40,230,true,3,true,1]`, before)
		for range 3 { // the first is not withdrawn before the third
			o.iss.Rotate()
			require.NoError(t, o.v.Refresh(t.Context()))
			newKid, _ := o.iss.Key()
			o.shows(t, newKid)
			o.updates(t)
			assert.Equal(t, before, o.run(t, state))
		}
		assert.NotContains(t, o.text(t), kid, "a key that was withdrawn")
		o.run(t, `getSelection().removeAllRanges()`)
		call(t, o.browser, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1200, Height: 900, DeviceScaleFactor: 1})
	})

	t.Run("Y6 the focus stays when an issuer before it is dropped", func(t *testing.T) {
		o.run(t, `
			const card = document.querySelector('.card[data-key]');
			for (let i = 0; i < 2; i++) {
				const dropped = card.cloneNode(true);
				dropped.dataset.key = 'dropped';
				card.before(dropped);
			}
			window.focused = card.querySelector('.scroll');
			focused.focus();`)
		o.updates(t)
		assert.Equal(t, "true 0", o.run(t, `return (document.activeElement === focused) + ' ' + document.querySelectorAll('[data-key=dropped]').length`))
	})

	t.Run("Y6 a page that was updated is the page that is loaded", func(t *testing.T) {
		_, err := o.v.Verify(t.Context(), o.iss.Token(verifiertest.Claims{"exp": 1}))
		require.Error(t, err)
		o.shows(t, "expired")
		// Figures of time differ from one second to the next.
		same := o.run(t, `
			const plain = doc => doc.getElementById('live').outerHTML.replace(/<time.*?<\/time>|up for [^,]*/g, '');
			for (let i = 0; i < 20; i++) {
				const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
				if (plain(fresh) === plain(document)) return 'same';
				await new Promise(done => setTimeout(done, 100));
			}
			return plain(document)`)
		assert.Equal(t, "same", same)
	})

	t.Run("Y6 it says nothing aloud while the state stays", func(t *testing.T) {
		o.updates(t)
		assert.Equal(t, "[]", o.run(t, `return JSON.stringify(said)`))
	})

	t.Run("Y6 it says aloud what the state became", func(t *testing.T) {
		o.iss.Fail(500)
		require.Error(t, o.v.Refresh(t.Context()))
		o.shows(t, "The last fetch failed")
		o.updates(t)
		assert.Equal(t, `["The state is now degraded, with 1 problem."]`, o.run(t, `return JSON.stringify(said.splice(0))`))
		assert.Contains(t, o.run(t, `return document.title`), "Degraded: ")
		o.iss.Heal()
		require.NoError(t, o.v.Refresh(t.Context()))
		o.updates(t)
		assert.Equal(t, `["The state is now healthy."]`, o.run(t, `return JSON.stringify(said.splice(0))`))
	})

	t.Run("Y4 only requests to itself, and no error in the console", func(t *testing.T) {
		o.mu.Lock()
		defer o.mu.Unlock()
		assert.Greater(t, len(o.requests), 5)
		for _, url := range o.requests {
			assert.True(t, url == o.url() || strings.HasPrefix(url, "data:") || url == "about:blank", url)
		}
		assert.Empty(t, o.errors)
	})

	for _, failure := range []struct {
		name  string
		code  int64
		shown string
	}{
		{"Y6 the server cannot be reached", -1, "the server cannot be reached"},
		{"Y6 the session of the operator has ended", 401, "the server responded with 401"},
		{"Y6 a login is in the way", 302, "the server redirects"},
	} {
		t.Run(failure.name, func(t *testing.T) {
			o.run(t, `said.splice(0)`)
			o.broken.Store(failure.code)
			o.shows(t, failure.shown)
			o.updates(t)
			assert.Regexp(t, `Last update \d\d:\d\d:\d\d UTC: `+failure.shown, o.run(t, `return document.getElementById('notice').textContent`))
			assert.Contains(t, o.text(t), o.iss.URL(), "what was shown stays")
			o.broken.Store(0)
			o.shows(t, "Updates every")
			assert.NotContains(t, o.text(t), failure.shown)
			said := o.run(t, `return JSON.stringify(said.splice(0))`)
			assert.Regexp(t, `^\["Updates fail: `+failure.shown+`[^"]*","Updates work again\."\]$`, said, "each once")
		})
	}

	t.Run("Y6 paused", func(t *testing.T) {
		o.run(t, `document.getElementById('pause').click()`)
		o.shows(t, "Paused, last update")
		o.isQuiet(t)
		o.run(t, `document.dispatchEvent(new Event('visibilitychange'))`)
		o.isQuiet(t)
		o.run(t, `document.getElementById('pause').click()`)
		o.updates(t)
		o.shows(t, "Updates every")
	})

	t.Run("Y6 hidden", func(t *testing.T) {
		hide := func(hidden bool) {
			o.run(t, `Object.defineProperty(document, 'hidden', {value: %t, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))`, hidden)
		}
		hide(true)
		o.isQuiet(t)
		hide(false)
		o.updates(t)
	})

	t.Run("Y6 without JavaScript", func(t *testing.T) {
		call(t, o.browser, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		o.open(t, o.url())
		n := o.loads.Load()
		all := o.text(t)
		newKid, _ := o.iss.Key()
		for _, want := range []string{newKid, "Healthy", "malformed", "Hit ratio", "reload the page"} {
			assert.Contains(t, all, want)
		}
		assert.NotContains(t, all, "Pause")
		assert.Equal(t, n, o.loads.Load())
	})
}

// isQuiet looks for longer than an update takes to come.
func (o *operator) isQuiet(t *testing.T) {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // for an update that is under way
	n := o.loads.Load()
	assert.Never(t, func() bool { return o.loads.Load() != n }, 1200*time.Millisecond, 100*time.Millisecond)
}

func TestStatusPageForEverybody(t *testing.T) {
	o := startOperator(t)

	t.Run("Y7 all is reached with the keyboard, and shows the focus", func(t *testing.T) {
		var reached []string
		for range 20 {
			require.NoError(t, chromedp.Do(o.ctx, chromedp.KeyEvent(kb.Tab)))
			at := o.run(t, `
				const e = document.activeElement;
				if (e === document.body) return '';
				const style = getComputedStyle(e), box = e.getBoundingClientRect();
				const seen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
				const name = e.textContent.trim() && !e.matches('[role=region]') ? e.textContent.trim() : document.getElementById(e.getAttribute('aria-labelledby')).textContent;
				return name + (seen ? '' : ', not seen')`)
			if at == "" {
				break
			}
			reached = append(reached, at)
		}
		var issuers []string
		for _, i := range o.v.Issuers() {
			issuers = append(issuers, "Usable keys of "+i.Issuer)
		}
		want := slices.Concat([]string{"Skip to recent refusals", "Pause updates"}, issuers, []string{"In the last 1, 5 and 60 minutes"})
		assert.Equal(t, want, reached)
	})

	t.Run("Y7 the link and the button work with the keyboard", func(t *testing.T) {
		o.run(t, `document.querySelector('.skip').focus()`)
		require.NoError(t, chromedp.Do(o.ctx, chromedp.KeyEvent(kb.Enter)))
		assert.Equal(t, "refusals", o.run(t, `return document.activeElement.id`))
		o.run(t, `document.getElementById('pause').focus()`)
		for _, pressed := range []string{"true", "false"} {
			require.NoError(t, chromedp.Do(o.ctx, chromedp.KeyEvent(" ")))
			assert.Equal(t, pressed, o.run(t, `return document.activeElement.getAttribute('aria-pressed')`))
		}
	})

	t.Run("Y7 what assistive technology is told", func(t *testing.T) {
		var all []string
		for _, n := range call(t, o.browser, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
			if !n.Ignored {
				all = append(all, value(t, n.Role)+": "+value(t, n.Name))
			}
		}
		kid, _ := o.iss.Key()
		want := []string{
			"heading: " + hostileTitle, "heading: Healthy", "heading: Issuers", "heading: " + o.iss.URL(), "heading: Recent refusals", "heading: Token cache",
			"main: ", "status: ", "button: Pause updates",
			"region: Usable keys of " + o.iss.URL(), "table: Usable keys of " + o.iss.URL(), "rowheader: " + kid, "columnheader: kid", "columnheader: First seen",
			"region: In the last 1, 5 and 60 minutes", "table: In the last 1, 5 and 60 minutes", "rowheader: malformed not a well-formed JWT",
			"columnheader: Last 5 minutes", "term: Last refresh", "definition: ",
		}
		for _, w := range want {
			assert.Contains(t, all, w)
		}
		assert.Equal(t, "1", o.run(t, `return document.querySelectorAll('h1').length`))
		assert.Equal(t, "0", o.run(t, `
			let last = 0;
			return [...document.querySelectorAll('h1, h2, h3')].filter(h => { const n = Number(h.tagName[1]), skips = n > last + 1; last = n; return skips; }).length`), "levels are not skipped")
		assert.Equal(t, "0", o.run(t, `return [...document.querySelectorAll('table')].filter(t => !t.caption || [...t.querySelectorAll('th')].some(h => !h.scope)).length`))
		assert.Equal(t, "true", o.run(t, `const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return new Set(ids).size === ids.length`), "ids are unique")
		assert.Equal(t, "0", o.run(t, `return [...document.querySelectorAll('[aria-labelledby]')].filter(e => !document.getElementById(e.getAttribute('aria-labelledby'))).length`))
		assert.Equal(t, "en", o.run(t, `return document.documentElement.lang`))
	})

	for _, scheme := range []struct{ name, page, healthy string }{
		{"light", "rgb(244, 246, 248)", "rgb(20, 102, 58)"},
		{"dark", "rgb(16, 20, 26)", "rgb(116, 214, 154)"},
	} {
		t.Run("Y7 the "+scheme.name+" scheme, at every width", func(t *testing.T) {
			call(t, o.browser, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
				{Name: "prefers-color-scheme", Value: scheme.name},
			}})
			assert.Equal(t, scheme.page, o.run(t, `return getComputedStyle(document.body).backgroundColor`))
			assert.Equal(t, scheme.healthy, o.run(t, `return getComputedStyle(document.querySelector('.badge')).color`))
			for _, width := range []int64{320, 390, 768, 1280, 2560} { // 320 is that of WCAG 2.2 §1.4.10
				call(t, o.browser, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1})
				assert.Equal(t, "true", o.run(t, `return document.documentElement.scrollWidth <= innerWidth`), "the page scrolls sideways at %d", width)
			}
		})
	}
}

func value(t *testing.T, v *accessibility.Value) (text string) {
	if v == nil {
		return ""
	}
	require.NoError(t, json.Unmarshal(v.Value, &text))
	return text
}
