package jwkscache

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/internal/jose"
)

const (
	filePeriod = 30 * time.Second // between readings, unless Config.Refresh says otherwise
	maxFiles   = 256
)

// keyFileEndings are those of the files of a folder that are read.
var keyFileEndings = []string{".json", ".jwks", ".pem", ".pub", ".crt", ".cer"}

// ForFile returns a cache of the keys in a file, or in all files of a folder whose
// names end in .json, .jwks, .pem, .pub, .crt or .cer and do not begin with a dot:
// for keys that are mounted or delivered instead of fetched. A file is a JWK Set
// (RFC 7517 §5), or PEM blocks (RFC 7468) of public keys and certificates. A key of
// a PEM block has no kid, so a token with any kid may mean it; one of a
// certificate has its thumbprints, and the certificate's validity is not checked.
//
// The files are read again every 30 seconds, or every [Config.Refresh], and when a
// key is missing. A reading that fails, of a broken file for example, leaves the
// keys as they were, for [Config.MaxStale]; so does a folder without key files. To
// revoke a key, put another in its place. Symbolic links are followed, so that a
// folder of Kubernetes' is read as a whole. It is an error to set fields of Config
// that concern HTTP. As with [ForIssuer], reading starts in the background and
// ends with [Cache.Close].
func ForFile(path string, cfg Config) (*Cache, error) {
	switch {
	case path == "":
		return nil, errors.New("jwkscache: ForFile: the path is empty")
	case cfg.HTTPClient != nil || cfg.MetadataURL != "" || cfg.AllowHTTP || cfg.SameOriginRedirects:
		return nil, errors.New("jwkscache: ForFile: HTTPClient, MetadataURL, AllowHTTP and SameOriginRedirects have no meaning for a file")
	case cfg.Store != nil:
		return nil, errors.New("jwkscache: ForFile: Store has no meaning for a file")
	}
	if cfg.Refresh == 0 {
		cfg.Refresh = filePeriod
	}
	return start(locator{file: path}, cfg)
}

// readFiles is fetchKeys for files.
func (f *fetcher) readFiles(old *snapshot) (*snapshot, error) {
	keys, err := readKeyFiles(f.locator.file, f.cfg)
	if err != nil {
		return nil, shorten(err)
	}
	now := f.clock()
	return &snapshot{keys: keys.withHistory(old, now.wall), fetchedAt: now, tooOld: now.add(f.cfg.MaxStale), period: min(f.cfg.Refresh, f.cfg.MaxStale)}, nil
}

func readKeyFiles(path string, cfg Config) (*keySet, error) {
	files, err := keyFiles(path)
	if err != nil {
		return nil, err
	}
	set := newKeySet()
	for _, file := range files {
		doc, err := readFile(file)
		if err != nil {
			return nil, err
		}
		if bytes.HasPrefix(bytes.TrimSpace(trimBOM(doc)), []byte("{")) {
			_, err = addKeySet(set, doc, cfg)
		} else {
			err = addPEM(set, doc, cfg)
		}
		if err != nil {
			return nil, fmt.Errorf("key file %q: %w", cut(file), err)
		}
	}
	switch {
	case set.size == 0:
		return nil, fmt.Errorf("no usable key in %q: %.500s", cut(path), strings.Join(texts(set.warnings, maxKeys), "; "))
	case set.size > maxKeys:
		return nil, fmt.Errorf("more than %d keys in %q", maxKeys, cut(path))
	}
	set.clip()
	return set, nil
}

// keyFiles returns path itself, or the key files of that folder, sorted.
func keyFiles(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode().IsRegular():
		return []string{path}, nil
	case !info.IsDir(): // a pipe would block
		return nil, fmt.Errorf("key file %q is not a regular file", cut(path))
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || !slices.Contains(keyFileEndings, strings.ToLower(filepath.Ext(name))) {
			continue
		}
		file := filepath.Join(path, name)
		if info, err := os.Stat(file); err != nil { // of what a link leads to
			return nil, err
		} else if info.Mode().IsRegular() {
			files = append(files, file)
		}
	}
	if len(files) > maxFiles {
		return nil, fmt.Errorf("more than %d key files in %q", maxFiles, cut(path))
	}
	return files, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := io.ReadAll(io.LimitReader(f, maxBody+1))
	if err == nil && len(doc) > maxBody {
		err = fmt.Errorf("key file %q has more than %d bytes", cut(path), maxBody)
	}
	return doc, err
}

// addPEM adds the public keys and certificates of doc.
func addPEM(set *keySet, doc []byte, cfg Config) error {
	blocks := 0
	for rest := doc; ; blocks++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			if len(bytes.TrimSpace(rest)) > 0 {
				return errors.New("neither a JWK Set nor PEM, or something follows the PEM blocks")
			}
			break
		}
		k, err := parsePEM(block, cfg)
		if err != nil {
			set.warn(KeyWarning{}, "PEM block %d: %v", blocks, err)
			continue
		}
		set.add(k)
	}
	switch begun := bytes.Count(doc, []byte("-----BEGIN ")); {
	case blocks == 0:
		return errors.New("the file is empty")
	case begun != blocks: // pem.Decode skips what is broken
		return fmt.Errorf("%d of %d PEM blocks are broken", begun-blocks, begun)
	}
	return nil
}

func parsePEM(block *pem.Block, cfg Config) (k key, err error) {
	var public any
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = cert.PublicKey
			short, long := sha1.Sum(cert.Raw), sha256.Sum256(cert.Raw)
			k.x5t, k.x5tS256 = base64.RawURLEncoding.EncodeToString(short[:]), base64.RawURLEncoding.EncodeToString(long[:])
		}
	default:
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return k, errors.New("a private key: only its public half belongs here")
		}
		return k, fmt.Errorf("a block of type %.40q, not PUBLIC KEY or CERTIFICATE", block.Type)
	}
	if err != nil {
		return k, fmt.Errorf("not a public key: %w", err)
	}
	k.public = public
	if k.algs = algorithmsFor(public); k.algs == nil {
		return k, errors.New("unknown kind of key")
	}
	return k, checkUsable(public, cfg)
}

// algorithmsFor returns the algorithms that a key may verify.
func algorithmsFor(public crypto.PublicKey) (names []string) {
	var fitting []*jose.Algorithm
	switch k := public.(type) {
	case *rsa.PublicKey:
		fitting = jose.ForKey("RSA", "")
	case *ecdsa.PublicKey:
		fitting = jose.ForKey("EC", k.Curve.Params().Name)
	case ed25519.PublicKey:
		fitting = jose.ForKey("OKP", "Ed25519")
	}
	for _, a := range fitting {
		names = append(names, a.Name)
	}
	return names
}
