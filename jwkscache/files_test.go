package jwkscache_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".next"
	require.NoError(t, os.WriteFile(next, []byte(text), 0o600))
	require.NoError(t, os.Rename(next, path))
}

func openFile(t *testing.T, path string, cfg jwkscache.Config) *jwkscache.Cache {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := jwkscache.ForFile(path, cfg)
	return opened(t, c, err)
}

func pemOf(t *testing.T, kind string, der []byte, err error) string {
	t.Helper()
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkixPEM(t *testing.T, public crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	return pemOf(t, "PUBLIC KEY", der, err)
}

func TestForFile(t *testing.T) {
	a, b := newKey("a"), newKey("b")

	t.Run("K15 a file is read again every 30 seconds, and its last good state stays", inBubble(func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keys.json")
		write(t, path, setOf(a))
		var log bytes.Buffer
		c := openFile(t, path, jwkscache.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		serves(t, c, a)
		write(t, path, setOf(b))
		pass(30 * time.Second)
		serves(t, c, b)
		denies(t, c, "a")
		for _, broken := range []string{"", "{", `{"keys":[]}`, setOf(a) + "x", strings.Repeat(" ", 600<<10)} {
			write(t, path, broken)
			pass(2 * time.Minute)
			serves(t, c, b)
		}
		assert.Equal(t, 1, strings.Count(log.String(), "level=WARN"), log.String())
		assert.Contains(t, log.String(), "file="+path)
		require.Error(t, c.Stats().LastError)
		require.NoError(t, c.Health())
		write(t, path, setOf(a))
		pass(2 * time.Minute)
		serves(t, c, a)
		require.NoError(t, os.Remove(path))
		pass(25 * time.Hour)
		_, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "a", Algorithm: a.alg})
		assert.ErrorIs(t, err, jwkscache.ErrUnavailable, "K4 for MaxStale")
		assert.ErrorIs(t, err, os.ErrNotExist)
	}))

	t.Run("K15 a missing key is looked for at once", inBubble(func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "keys.json")
		write(t, path, setOf(a))
		c := openFile(t, path, jwkscache.Config{})
		write(t, path, setOf(a, b))
		got, err := c.Lookup(t.Context(), jwkscache.Query{KeyID: "b", Algorithm: b.alg})
		require.NoError(t, err)
		assert.Equal(t, []crypto.PublicKey{b.public}, got)
		require.NoError(t, c.Refresh(t.Context()))
	}))

	t.Run("K15 a folder is one key set, behind links as Kubernetes mounts them", inBubble(func(t *testing.T) {
		dir := t.TempDir()
		for version, k := range map[string]key{"..v1": a, "..v2": b} {
			require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
			write(t, filepath.Join(dir, version, "keys.jwks"), setOf(k))
		}
		require.NoError(t, os.Symlink("..v1", filepath.Join(dir, "..data")))
		require.NoError(t, os.Symlink("..data/keys.jwks", filepath.Join(dir, "keys.jwks")))
		write(t, filepath.Join(dir, "notes.txt"), "not keys")
		require.NoError(t, os.Mkdir(filepath.Join(dir, "more.json"), 0o700))
		c := openFile(t, dir, jwkscache.Config{Refresh: time.Minute})
		serves(t, c, a)
		require.NoError(t, os.Remove(filepath.Join(dir, "..data")))
		require.NoError(t, os.Symlink("..v2", filepath.Join(dir, "..data")))
		pass(time.Minute)
		serves(t, c, b)
		denies(t, c, "a")
		write(t, filepath.Join(dir, "second.json"), setOf(a))
		pass(time.Minute)
		serves(t, c, a)
		serves(t, c, b)
		assert.Equal(t, 2, c.Stats().Keys)
	}))
}

func TestPEMFiles(t *testing.T) {
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "signer"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &ec.PublicKey, ec)
	require.NoError(t, err)
	digest := sha256.Sum256(cert)
	privatePEM, err := x509.MarshalPKCS8PrivateKey(edPrivate)
	require.NoError(t, err)

	for name, row := range map[string]struct {
		text  string
		query jwkscache.Query
		want  crypto.PublicKey // nil: the file is refused
		keys  int
		warn  string
	}{
		"K15 an EC key":         {pkixPEM(t, &ec.PublicKey), jwkscache.Query{KeyID: "any", Algorithm: "ES256"}, &ec.PublicKey, 1, ""},
		"K15 an RSA key":        {pkixPEM(t, &rsaKey.PublicKey), jwkscache.Query{Algorithm: "PS384"}, &rsaKey.PublicKey, 1, ""},
		"K15 an RSA key, PKCS1": {pemOf(t, "RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey), nil), jwkscache.Query{Algorithm: "RS256"}, &rsaKey.PublicKey, 1, ""},
		"K15 an Ed25519 key":    {pkixPEM(t, edPublic), jwkscache.Query{Algorithm: "EdDSA"}, edPublic, 1, ""},
		"K15 a certificate": {pemOf(t, "CERTIFICATE", cert, nil), jwkscache.Query{
			KeyID: "any", X5TS256: base64.RawURLEncoding.EncodeToString(digest[:]), Algorithm: "ES256",
		}, &ec.PublicKey, 1, ""},
		"K15 two keys, and one that is private": {
			pkixPEM(t, edPublic) + "\n" + pkixPEM(t, &ec.PublicKey) + pemOf(t, "PRIVATE KEY", privatePEM, nil),
			jwkscache.Query{Algorithm: "ES256"}, &ec.PublicKey, 2, "a private key",
		},
		"K15 a private key alone":              {pemOf(t, "PRIVATE KEY", privatePEM, nil), jwkscache.Query{}, nil, 0, "private key"},
		"K15 another curve":                    {pkixPEM(t, &p224.PublicKey), jwkscache.Query{}, nil, 0, "unknown kind of key"},
		"K15 another kind of block":            {pemOf(t, "DH PARAMETERS", []byte{1}, nil), jwkscache.Query{}, nil, 0, "DH PARAMETERS"},
		"K15 a broken block":                   {pemOf(t, "PUBLIC KEY", []byte{1}, nil), jwkscache.Query{}, nil, 0, "not a public key"},
		"K15 a broken block before a good one": {pkixPEM(t, &ec.PublicKey)[:60] + "\n" + pkixPEM(t, edPublic), jwkscache.Query{}, nil, 0, "1 of 2 PEM blocks are broken"},
		"K15 text after the blocks":            {pkixPEM(t, edPublic) + "x", jwkscache.Query{}, nil, 0, "something follows"},
		"K15 neither JSON nor PEM":             {"keys", jwkscache.Query{}, nil, 0, "neither a JWK Set nor PEM"},
		"K15 nothing but white space":          {" \n", jwkscache.Query{}, nil, 0, "empty"},
	} {
		t.Run(name, inBubble(func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key.pem")
			write(t, path, row.text)
			c := openFile(t, path, jwkscache.Config{})
			st := c.Stats()
			assert.Equal(t, row.keys, st.Keys)
			if row.want == nil {
				assert.ErrorContains(t, st.LastError, row.warn)
				return
			}
			got, err := c.Lookup(t.Context(), row.query)
			require.NoError(t, err)
			assert.Equal(t, []crypto.PublicKey{row.want}, got)
			assert.Contains(t, fmt.Sprint(st.KeyWarnings), row.warn)
		}))
	}
	t.Run("A4 a small RSA key is not used", inBubble(func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "key.pem")
		write(t, path, pkixPEM(t, &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}))
		assert.ErrorContains(t, openFile(t, path, jwkscache.Config{}).Stats().LastError, "1024 bits")
	}))
}

func TestForFileConfiguration(t *testing.T) {
	for name, row := range map[string]struct {
		path string
		cfg  jwkscache.Config
	}{
		"K15 no path":             {"", jwkscache.Config{}},
		"K15 HTTPClient":          {"x", jwkscache.Config{HTTPClient: http.DefaultClient}},
		"K15 MetadataURL":         {"x", jwkscache.Config{MetadataURL: "https://x"}},
		"K15 AllowHTTP":           {"x", jwkscache.Config{AllowHTTP: true}},
		"K15 SameOriginRedirects": {"x", jwkscache.Config{SameOriginRedirects: true}},
		"K15 Refresh":             {"x", jwkscache.Config{Refresh: 30}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jwkscache.ForFile(row.path, row.cfg)
			assert.Error(t, err)
		})
	}
	t.Run("K15 what is no regular file", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "keys.json")))
			assert.ErrorIs(t, openFile(t, dir, jwkscache.Config{}).Stats().LastError, os.ErrNotExist)
			assert.ErrorContains(t, openFile(t, os.DevNull, jwkscache.Config{}).Stats().LastError, "regular file")
			pipe := filepath.Join(t.TempDir(), "pipe")
			require.NoError(t, syscall.Mkfifo(pipe, 0o600))
			assert.ErrorContains(t, openFile(t, pipe, jwkscache.Config{}).Stats().LastError, "regular file")
		})
	})
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
