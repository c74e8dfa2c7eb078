package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The picture, in pixels.
const (
	pictureWidth = 960
	lineHeight   = 14
	plotLeft     = 132
	plotWidth    = pictureWidth - plotLeft - 16
	bucket       = 250 * time.Millisecond
)

//go:embed picture.css
var pictureStyle string

// A canvas is an SVG that grows downwards.
type canvas struct {
	*report
	body  bytes.Buffer
	y     float64 // where the next lane begins
	begin time.Duration
	end   time.Duration
}

// picture draws the run as lanes over time, for a light and a dark background. What it
// shows by color, it shows by shape or text, too.
func (r *report) picture() []byte {
	c := &canvas{report: r, begin: r.steps[0].from, end: r.steps[len(r.steps)-1].to}
	for i := range r.steps {
		c.y = max(c.y, 28+lineHeight*float64(len(c.titleOf(i))))
	}
	c.heading("Good tokens: requests served per second")
	for number := range replicas {
		c.served(number + 1)
	}
	c.heading("Slowest response to a good token, in each quarter of a second")
	c.delays()
	c.heading("The token that replica 1 revokes")
	c.tokenOf(revoked)
	c.heading("The token that replica 2 revokes while Redis is down")
	c.tokenOf(revokedAway)
	c.heading("Proofs (DPoP), replayed as soon as they were used")
	c.strip("same replica", "", "served again", replays(sameReplay))
	c.strip("another replica", "", "served again", replays(farReplay))
	c.heading("What replicas depend on")
	c.uptime("Redis")
	c.uptime("issuer")
	c.fetchesOf()
	bottom := c.y
	c.axis(bottom)
	c.legend(bottom + 40)

	var svg bytes.Buffer
	fmt.Fprintf(&svg, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %.0f" role="img" aria-labelledby="title">`+"\n", pictureWidth, bottom+68)
	fmt.Fprintf(&svg, "<title id=\"title\">%s</title>\n<style>\n%s</style>\n%s", html.EscapeString(r.inWords()), pictureStyle, patterns)
	fmt.Fprintf(&svg, `<rect class="ground" width="%d" height="%.0f"/>`+"\n", pictureWidth, bottom+68)
	c.stepsTo(&svg, bottom)
	svg.Write(c.body.Bytes())
	svg.WriteString("</svg>\n")
	return svg.Bytes()
}

const patterns = `<defs>
<pattern id="stopped" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0 V6"/></pattern>
</defs>
`

// inWords is the picture for those who do not see it.
func (r *report) inWords() string {
	var steps []string
	for i, s := range r.steps {
		f := r.figures[i]
		steps = append(steps, fmt.Sprintf("%s: %s good tokens served, %s refused", s.title, number(f.served), number(f.refused)))
	}
	return "What replicas of an API served and refused. " + strings.Join(steps, ". ") + "."
}

// x returns where a time is.
func (c *canvas) x(at time.Duration) float64 {
	at = min(max(at, c.begin), c.end)
	return plotLeft + plotWidth*float64(at-c.begin)/float64(c.end-c.begin)
}

func (c *canvas) draw(format string, args ...any) { fmt.Fprintf(&c.body, format+"\n", args...) }

func (c *canvas) text(class string, x, y float64, anchor, text string) {
	c.draw(`<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, class, x, y, anchor, html.EscapeString(text))
}

func (c *canvas) heading(text string) {
	c.y += 26
	c.text("heading", 8, c.y-8, "start", text)
}

// stepsTo draws the steps behind the lanes, with their numbers and titles above.
func (c *canvas) stepsTo(svg *bytes.Buffer, bottom float64) {
	for i, s := range c.steps {
		from, to := c.x(s.from), c.x(s.to)
		class := "even"
		if i%2 == 1 {
			class = "odd"
		}
		fmt.Fprintf(svg, `<rect class="%s" x="%.1f" y="8" width="%.1f" height="%.1f"/>`+"\n", class, from, to-from, bottom-8)
		for n, line := range c.titleOf(i) {
			fmt.Fprintf(svg, `<text class="step" x="%.1f" y="%d">%s</text>`+"\n", from+5, 24+lineHeight*n, html.EscapeString(line))
		}
	}
}

// titleOf returns the lines of a step's title, which fit into its width.
func (c *canvas) titleOf(i int) []string {
	s := c.steps[i]
	return wrap(fmt.Sprintf("%d. %s", i+1, s.title), int((c.x(s.to)-c.x(s.from)-8)/6.3))
}

// wrap breaks text into lines of at most width characters, if no word is longer.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}

// served draws how many good tokens a replica served, as an area, and each refusal.
func (c *canvas) served(replica int) {
	const height = 34.0
	counts := make([]int, int((c.end-c.begin)/bucket)+1)
	for _, e := range c.events {
		if e.replica != replica || e.kind != good && e.kind != bound || e.at < c.begin || e.at >= c.end {
			continue
		}
		switch {
		case e.status == http.StatusOK:
			counts[int((e.at-c.begin)/bucket)]++
		case e.status != 0 || !c.wasDown(replicaName(replica), e.at, e.at+e.took):
			c.text("refusal", c.x(e.at), c.y+12, "middle", "×")
		}
	}
	base, most := c.y+height, 1.2*float64(max(slices.Max(counts), 1)) // room for the refusals
	path := fmt.Sprintf("M%.1f %.1f", c.x(c.begin), base)
	for i, count := range counts {
		top := base - height*float64(count)/most
		from, to := c.x(c.begin+time.Duration(i)*bucket), c.x(c.begin+time.Duration(i+1)*bucket)
		path += fmt.Sprintf(" L%.1f %.1f L%.1f %.1f", from, top, to, top)
	}
	c.draw(`<path class="served" d="%s V%.1f Z"/>`, path, base)
	c.stops(replicaName(replica), c.y+4, height-4)
	c.text("label", plotLeft-8, base-18, "end", replicaName(replica))
	if slices.Max(counts) > 0 {
		c.text("scale", plotLeft-8, base-4, "end", fmt.Sprintf("at most %d/s", slices.Max(counts)*int(time.Second/bucket)))
	}
	c.y += height + 6
}

// stops draws when a process was not running, or not yet ready.
func (c *canvas) stops(process string, y, height float64) {
	from, label := time.Duration(0), "not started"
	draw := func(to time.Duration) {
		left, right := c.x(from), c.x(to)
		c.draw(`<rect class="stopped" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, left, y, right-left, height)
		c.label("stopped", left, right, y+height/2, label)
	}
	running := false
	for _, s := range c.spans(process, c.end) {
		switch {
		case s.state == up && !running && s.from-from > 2*bucket: // so long that it can be seen
			draw(s.from)
		case s.state == down && running:
			from, label = s.from, "down"
		}
		running = s.state == up
	}
	if !running && from < c.end {
		draw(c.end)
	}
}

// label writes a text in the middle of a part, if it fits.
func (c *canvas) label(class string, from, to, y float64, text string) {
	width := 5.5*float64(len(text)) + 8
	if to-from < width {
		return
	}
	middle := (from + to) / 2
	if class == "stopped" { // the text has a ground of its own
		c.draw(`<rect class="tag" x="%.1f" y="%.1f" width="%.1f" height="13" rx="3"/>`, middle-width/2, y-6.5, width)
	}
	c.text("small on-"+class, middle, y+4, "middle", text)
}

// delays draws the slowest response in each bucket, on a logarithmic scale.
func (c *canvas) delays() {
	const height, decade = 56.0, 14.0 // from 1 ms to 10 s
	base := c.y + height
	for i, text := range []string{"1 ms", "10 ms", "100 ms", "1 s", "10 s"} {
		y := base - decade*float64(i)
		c.draw(`<path class="grid" d="M%d %.1f H%d"/>`, plotLeft, y, plotLeft+plotWidth)
		c.text("scale", plotLeft-8, y+4, "end", text)
	}
	slow := make([]time.Duration, int((c.end-c.begin)/bucket)+1)
	for _, e := range c.events {
		if (e.kind == good || e.kind == bound) && e.status == http.StatusOK && e.at >= c.begin && e.at < c.end {
			i := int((e.at - c.begin) / bucket)
			slow[i] = max(slow[i], e.took)
		}
	}
	for i, took := range slow {
		if took < time.Millisecond {
			continue
		}
		height := decade * decades(took)
		from, to := c.x(c.begin+time.Duration(i)*bucket), c.x(c.begin+time.Duration(i+1)*bucket)
		c.draw(`<rect class="delay" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, from, base-height, to-from, height)
	}
	c.y += height + 8
}
