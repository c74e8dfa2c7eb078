package render

// A Theme is the colors of a chart, as #rrggbb.
type Theme struct{ Page, Text, Grid, Ours, Others string }

// Themes are for pages with a light and with a dark background.
var Themes = map[string]Theme{
	"light": {Page: "#ffffff", Text: "#1f2328", Grid: "#d1d9e0", Ours: "#0969da", Others: "#afb8c1"},
	"dark":  {Page: "#0d1117", Text: "#e6edf3", Grid: "#3d444d", Ours: "#4493f8", Others: "#656c76"},
}
