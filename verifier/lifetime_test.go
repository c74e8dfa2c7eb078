package verifier_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

func TestMaxLifetime(t *testing.T) {
	s := signerOf("ES256")
	synctest.Test(t, func(t *testing.T) {
		v, keys := setup(t, func(cfg *set) { cfg.MaxLifetime = time.Hour })
		unlimited, _ := setup(t)
		at := func(d time.Duration) string { return seconds(time.Now().Add(d)) }
		for name, row := range map[string]struct {
			iat, exp string
			good     bool
		}{
			"C13 exactly":                         {at(0), at(time.Hour), true},
			"C13 a second more":                   {at(0), at(time.Hour + time.Second), false},
			"C13 issued before":                   {at(-30 * time.Minute), at(30 * time.Minute), true},
			"C13 issued before, for longer":       {at(-30 * time.Minute), at(31 * time.Minute), false},
			"C13 by a clock ahead":                {at(time.Minute), at(time.Hour + time.Minute), true},
			"C13 by a clock ahead of the leeway":  {at(2 * time.Minute), at(time.Hour + 2*time.Minute), false},
			"C13 without iat":                     {"", at(time.Hour + time.Minute), true},
			"C13 without iat, for longer":         {"", at(time.Hour + time.Minute + time.Second), false},
			"C13 with an iat that is not a date":  {`"x"`, at(2 * time.Hour), false},
			"C13 until the end of the year 9999":  {at(0), "253402300799", false},
			"C13 from the beginning of the epoch": {"0", at(time.Minute), false},
		} {
			raw := s.token(nil, members{"iat": row.iat, "exp": row.exp})
			verified(t, unlimited, raw)
			keys.lookups.Store(0)
			_, err := v.Verify(ctx, raw)
			if row.good {
				assert.NoError(t, err, name)
				continue
			}
			assertRefused(t, verifier.ErrClaims, err)
			assert.ErrorContains(t, err, "MaxLifetime is 1h0m0s", name)
			assert.Zero(t, keys.lookups.Load(), name)
		}
	})
}
