package providers_test

import "testing"

// What a preset's demands cost where the token is remembered.
func BenchmarkRemembered(b *testing.B) {
	iss := newIssuer(b)
	for _, p := range presets() {
		v, raw := iss.verifier(b, p.cfg), iss.sign(b, readGolden(b, p.goldens[0]).Machine)
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
