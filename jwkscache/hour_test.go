package jwkscache_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func TestAnHourToTheSecond(t *testing.T) {
	assert.Equal(t, time.Hour, jwkscache.CachePeriod(http.Header{"Cache-Control": {"max-age=7200"}, "Age": {"10"}}), "K2")
}
