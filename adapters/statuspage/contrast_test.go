package statuspage_test

import (
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Contrasts of the colors in both schemes (WCAG 2.2 §1.4.3 for text, §1.4.11 for the rest).
func TestContrast(t *testing.T) {
	css, err := os.ReadFile("page.css")
	require.NoError(t, err)
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	require.Len(t, blocks, 2, "a light and a dark scheme")
	for i, scheme := range []string{"light", "dark"} {
		colors := make(map[string]string)
		for _, c := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(blocks[i][1], -1) {
			colors[c[1]] = c[2]
		}
		require.Len(t, colors, 13, scheme)
		atLeast := func(ratio float64, front, back string) {
			got := contrast(t, colors[front], colors[back])
			assert.GreaterOrEqual(t, got, ratio, "Y7 %s: %s on %s", scheme, front, back)
		}
		for _, back := range []string{"page", "card"} {
			for _, front := range []string{"text", "muted", "focus"} {
				atLeast(4.5, front, back)
			}
			for _, front := range []string{"control", "healthy", "degraded", "down"} {
				atLeast(3, front, back)
			}
		}
		for _, state := range []string{"healthy", "degraded", "down"} {
			atLeast(4.5, state, state+"-card")
		}
	}
	// All colors are those, and nothing moves.
	rest := regexp.MustCompile(`(?s):root \{.*?\}`).ReplaceAllString(string(css), "")
	assert.NotRegexp(t, `#[0-9a-f]{3,8}\b[^ ]*;|rgb|hsl|opacity`, rest, "Y7 another color")
	assert.NotRegexp(t, `animation|transition|@keyframes|scroll-behavior`, rest, "Y7 motion")
	assert.NotRegexp(t, `url\(|@import|@font-face`, rest, "Y4 something from elsewhere")
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, color string) float64 {
	require.Len(t, color, 6)
	weights, sum := []float64{0.2126, 0.7152, 0.0722}, 0.
	for i, weight := range weights {
		n, err := strconv.ParseUint(color[2*i:2*i+2], 16, 8)
		require.NoError(t, err)
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
