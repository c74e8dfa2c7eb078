package render

import "image/color"

// A Theme is the colors of a chart, which has no background of its own.
type Theme struct{ Text, Grid, Ours, Others color.Color }

// Themes are for pages with a light and with a dark background.
var Themes = map[string]Theme{
	"light": {Text: rgb(0x1f2328), Grid: rgb(0xd1d9e0), Ours: rgb(0x0969da), Others: rgb(0xafb8c1)},
	"dark":  {Text: rgb(0xe6edf3), Grid: rgb(0x3d444d), Ours: rgb(0x4493f8), Others: rgb(0x656c76)},
}

func rgb(hex uint32) color.Color {
	return color.RGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xff}
}
