package main

import (
	"fmt"
	"math"
	"net/http"
	"time"
)

// decades returns the logarithm of a time in milliseconds.
func decades(d time.Duration) float64 { return math.Log10(float64(d) / float64(time.Millisecond)) }

// An outcome is how requests of one kind ended in a bucket, the worst that counts.
type outcome int

const (
	nothing outcome = iota
	rejected
	served
	servedWrongly
)

// strip draws how requests ended, by what outcomeOf says of each.
func (c *canvas) strip(name, process, wrong string, outcomeOf func(event) outcome) {
	const height = 15.0
	outcomes := make([]outcome, int((c.end-c.begin)/bucket)+1)
	for _, e := range c.events {
		if e.status == 0 || e.at < c.begin || e.at >= c.end {
			continue
		}
		i := int((e.at - c.begin) / bucket)
		outcomes[i] = max(outcomes[i], outcomeOf(e))
	}
	for from := 0; from < len(outcomes); {
		to := from
		for to < len(outcomes) && outcomes[to] == outcomes[from] {
			to++
		}
		left, right := c.x(c.begin+time.Duration(from)*bucket), c.x(c.begin+time.Duration(to)*bucket)
		if o := outcomes[from]; o != nothing {
			class := map[outcome]string{rejected: "refused", served: "served", servedWrongly: "accepted"}[o]
			label := map[outcome]string{rejected: "refused", served: "served", servedWrongly: wrong}[o]
			c.draw(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, left, c.y+0.5, right-left, height-1)
			c.label(class, left, right, c.y+height/2, label)
		}
		from = to
	}
	if process != "" {
		c.stops(process, c.y, height)
	}
	c.text("label", plotLeft-8, c.y+11.5, "end", name)
	c.y += height + 4
}

// tokenOf draws where the revoked token of one kind of request was served.
func (c *canvas) tokenOf(k kind) {
	v, found := c.revocations[k]
	for number := range replicas {
		name := replicaName(number + 1)
		c.strip(name, name, "still served", func(e event) outcome {
			switch {
			case e.kind != k || e.replica != number+1:
				return nothing
			case e.status != http.StatusOK:
				return rejected
			case found && e.at > v.confirmed:
				return servedWrongly
			}
			return served
		})
	}
}

// replays is the outcome of a request with a used proof.
func replays(k kind) func(event) outcome {
	return func(e event) outcome {
		switch {
		case e.kind != k:
			return nothing
		case e.status == http.StatusOK:
			return servedWrongly
		}
		return rejected
	}
}

// uptime draws when a process was running.
func (c *canvas) uptime(process string) {
	const height = 15.0
	for _, s := range c.spans(process, c.end) {
		if s.state == up && s.from < c.end {
			c.draw(`<rect class="up" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, c.x(s.from), c.y+height/2-2, c.x(s.to)-c.x(s.from), 4.0)
		}
	}
	c.stops(process, c.y, height)
	c.text("label", plotLeft-8, c.y+11.5, "end", process)
	c.y += height + 4
}

// fetchesOf draws each request to the issuer for its keys.
func (c *canvas) fetchesOf() {
	for _, s := range c.steps {
		n, last := 0, time.Duration(0)
		for _, at := range c.fetches {
			if s.from <= at && at < s.to {
				n, last = n+1, at
				c.draw(`<circle class="fetch" cx="%.1f" cy="%.1f" r="4"/>`, c.x(at), c.y+7.5)
			}
		}
		if n > 0 {
			c.text("small", min(c.x(last)+8, plotLeft+plotWidth-24), c.y+12, "start", fmt.Sprintf("%d ×", n))
		}
	}
	c.text("label", plotLeft-8, c.y+11.5, "end", "keys fetched")
	c.y += 22
}

// axis draws the seconds.
func (c *canvas) axis(y float64) {
	step := 10 * time.Second
	if c.end-c.begin < 40*time.Second {
		step /= 2
	}
	for s := time.Duration(0); c.begin+s <= c.end; s += step {
		x := c.x(c.begin + s)
		c.draw(`<path class="grid" d="M%.1f %.1f v5"/>`, x, y)
		c.text("scale", x, y+18, "middle", fmt.Sprintf("%d s", int(s.Seconds())))
	}
}

func (c *canvas) legend(y float64) {
	x := float64(plotLeft)
	for _, l := range []struct{ shape, text string }{
		{`<rect class="served" x="%.1f" y="%.1f" width="22" height="12"/>`, "good: served"},
		{`<text class="refusal" x="%.1f" y="%.1f" dx="8" dy="11">×</text>`, "good: refused"},
		{`<rect class="refused" x="%.1f" y="%.1f" width="22" height="12"/>`, "bad: refused"},
		{`<rect class="accepted" x="%.1f" y="%.1f" width="22" height="12"/>`, "bad: served"},
		{`<rect class="stopped" x="%.1f" y="%.1f" width="22" height="12"/>`, "not running"},
	} {
		c.draw(l.shape, x, y)
		c.text("small", x+28, y+10, "start", l.text)
		x += 28 + 6.2*float64(len(l.text)) + 26
	}
}
