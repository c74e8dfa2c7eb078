package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const secret = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" // 32 bytes

func setEnvironment(t *testing.T) {
	for name, value := range map[string]string{
		"ISSUER": "https://login.example.com/", "AUDIENCE": "https://api.example.com", "ORIGIN": "https://api.example.com",
		"REDIS_URL": "redis://:pass-word@redis:6379/0", "STORE_SECRETS": secret, "MAX_LIFETIME": "", "ADDR": "", "INTERNAL_ADDR": "",
	} {
		t.Setenv(name, value)
	}
}

func TestConfig(t *testing.T) {
	setEnvironment(t)
	t.Setenv("STORE_SECRETS", secret+", "+strings.Replace(secret, "M", "N", 1))
	c, err := readConfig()
	require.NoError(t, err)
	assert.Equal(t, time.Hour, c.maxLifetime)
	assert.Equal(t, "redis:6379", c.redis.Addr)
	assert.True(t, c.redis.ContextTimeoutEnabled)
	assert.Len(t, c.storeSecrets, 2)
	p, err := newProtection(c, discard)
	require.NoError(t, err)
	assert.NoError(t, p.close())
}

// The API does not start with a wrong setting. Its error names the setting, and shows
// neither password nor secret.
func TestWrongConfig(t *testing.T) {
	for name, row := range map[string]struct{ variable, value, want string }{
		"no issuer":         {"ISSUER", "", "Issuer"},
		"no audience":       {"AUDIENCE", "", "Audience"},
		"no origin":         {"ORIGIN", "", "Origin"},
		"no Redis":          {"REDIS_URL", "", "REDIS_URL"},
		"another Redis":     {"REDIS_URL", "redis://:pass-word@redis:port", "REDIS_URL"},
		"no secret":         {"STORE_SECRETS", "", "STORE_SECRETS: number 1"},
		"a short secret":    {"STORE_SECRETS", secret + ",c2hvcnQ=", "STORE_SECRETS: number 2"},
		"a secret in hex":   {"STORE_SECRETS", "0x", "STORE_SECRETS: number 1"},
		"a lifetime":        {"MAX_LIFETIME", "60", "MAX_LIFETIME"},
		"a short lifetime":  {"MAX_LIFETIME", "1ns", "MaxLifetime"},
		"no lifetime":       {"MAX_LIFETIME", "0s", "MaxLifetime"},
		"a lifetime before": {"MAX_LIFETIME", "-1h", "MaxLifetime"},
	} {
		t.Run(name, func(t *testing.T) {
			setEnvironment(t)
			t.Setenv(row.variable, row.value)
			c, err := readConfig()
			if err == nil {
				_, err = newProtection(c, discard)
			}
			require.ErrorContains(t, err, row.want)
			assert.NotContains(t, err.Error(), "pass-word")
			assert.NotContains(t, err.Error(), secret)
		})
	}
}
