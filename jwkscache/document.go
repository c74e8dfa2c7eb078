package jwkscache

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// maxDocument is the length of the longest document, in bytes: metadata and key
	// set of maxBody each, and their addresses, header fields and times.
	maxDocument = 2*maxBody + 64<<10

	documentMagic   = "jwtguard"
	documentVersion = 1 // a process reads and overwrites only documents of its own version
	keysDocument    = 'K'
	failureDocument = 'F'

	maxHeaderText = 1000 // bytes of a header field
	maxFailures   = 1000 // that a note counts
)

// A source is what a cache's keys are configured to come from. Documents name it.
type source struct{ issuer, metadataURL, address string }

// name returns the name of the document with s's keys.
func (s source) name() string {
	var w writer
	w.source(s)
	sum := sha256.Sum256(w.bytes)
	return fmt.Sprintf("v%d-%s", documentVersion, hex.EncodeToString(sum[:]))
}

// A document is what one good fetch brought, as it came. Its times are those of the
// process that fetched, except for issuerTime.
type document struct {
	source
	metadata          []byte    // nil where the address is configured
	metadataCreatedAt time.Time // when the server made it, at the earliest
	address           string    // of the key set
	keys              []byte
	cacheControl      string // header fields of the key set
	age               string
	createdAt         time.Time // when the server made the key set, at the earliest
	fetchedAt         time.Time // when the fetch ended
	issuerTime        time.Time // fetchedAt, by the issuer's clock: of two documents, the one with the later is newer
}

func (d *document) header() http.Header {
	return http.Header{"Cache-Control": {d.cacheControl}, "Age": {d.age}}
}

func (d *document) seal(secrets [][]byte) ([]byte, error) {
	if len(d.cacheControl) > maxHeaderText || len(d.age) > maxHeaderText {
		return nil, errors.New("a header field of the key set is too long to be saved")
	}
	var w writer
	w.source(d.source)
	w.text(d.metadata)
	w.time(d.metadataCreatedAt)
	w.text([]byte(d.address))
	w.text(d.keys)
	w.text([]byte(d.cacheControl))
	w.text([]byte(d.age))
	w.time(d.createdAt)
	w.time(d.fetchedAt)
	w.time(d.issuerTime)
	return seal(keysDocument, w.bytes, secrets), nil
}

func openDocument(sealed []byte, of source, secrets [][]byte) (*document, error) {
	r, err := open(keysDocument, sealed, secrets)
	if err != nil {
		return nil, err
	}
	d := &document{source: r.source()}
	d.metadata = r.text()
	d.metadataCreatedAt = r.time()
	d.address = string(r.text())
	d.keys = r.text()
	d.cacheControl = string(r.text())
	d.age = string(r.text())
	d.createdAt = r.time()
	d.fetchedAt = r.time()
	d.issuerTime = r.time()
	return d, r.end(d.source, of)
}

// A failureNote is what a process leaves for the others after a fetch that failed.
type failureNote struct {
	source
	failedAt   time.Time     // when the fetch ended, by the clock of that process
	at         moment        // likewise, by the clocks of this process; not in the document
	pause      time.Duration // after which the next one is due
	retryAfter time.Duration // the part of it that the server asked for (Retry-After)
	failures   int           // in a row
	cause      string
}

func (n *failureNote) seal(secrets [][]byte) []byte {
	var w writer
	w.source(n.source)
	w.time(n.failedAt)
	w.number(uint64(n.pause))
	w.number(uint64(n.retryAfter))
	w.number(uint64(n.failures))
	w.text([]byte(n.cause))
	return seal(failureDocument, w.bytes, secrets)
}

func openFailureNote(sealed []byte, of source, secrets [][]byte) (*failureNote, error) {
	r, err := open(failureDocument, sealed, secrets)
	if err != nil {
		return nil, err
	}
	n := &failureNote{source: r.source(), failedAt: r.time()}
	n.pause = time.Duration(min(r.number(), uint64(maxRetryAfter)))
	n.retryAfter = time.Duration(min(r.number(), uint64(maxRetryAfter)))
	n.failures = int(min(r.number(), maxFailures))
	n.cause = printable(cut(string(r.text())))
	return n, r.end(n.source, of)
}

// seal returns content in its envelope: magic, version and kind before it, and the
// HMAC-SHA-256 of all that behind it.
func seal(kind byte, content []byte, secrets [][]byte) []byte {
	sealed := append([]byte(documentMagic), documentVersion, kind)
	sealed = append(sealed, content...)
	var first []byte
	if len(secrets) > 0 {
		first = secrets[0]
	}
	return append(sealed, authenticator(sealed, first)...)
}

// open returns what is in an envelope, if its authenticator is that of one of the
// secrets.
func open(kind byte, sealed []byte, secrets [][]byte) (*reader, error) {
	const head = len(documentMagic) + 2
	switch {
	case len(sealed) > maxDocument:
		return nil, fmt.Errorf("a document of %d bytes, over %d", len(sealed), maxDocument)
	case len(sealed) < head+sha256.Size || !bytes.HasPrefix(sealed, []byte(documentMagic)):
		return nil, errors.New("not a document of jwtguard's, or only a part of one")
	case sealed[head-2] != documentVersion || sealed[head-1] != kind:
		return nil, fmt.Errorf("a document of version %d and kind %q, not %d and %q", sealed[head-2], sealed[head-1], documentVersion, kind)
	}
	end := len(sealed) - sha256.Size
	if len(secrets) == 0 {
		secrets = [][]byte{nil}
	}
	for _, secret := range secrets {
		if hmac.Equal(sealed[end:], authenticator(sealed[:end], secret)) {
			return &reader{rest: sealed[head:end]}, nil
		}
	}
	return nil, errors.New("the document was changed, or authenticated with a secret that is not in StoreSecrets")
}

// authenticator returns the HMAC-SHA-256 of b. Without a secret, it detects damage only.
func authenticator(b, secret []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(b)
	return h.Sum(nil)
}

// A writer joins fields so that they can be taken apart in one way only: each has a
// fixed length, or its length before it.
type writer struct{ bytes []byte }

func (w *writer) number(n uint64)  { w.bytes = binary.BigEndian.AppendUint64(w.bytes, n) }
func (w *writer) time(t time.Time) { w.number(uint64(t.UnixNano())) }
func (w *writer) text(b []byte) {
	w.number(uint64(len(b)))
	w.bytes = append(w.bytes, b...)
}

func (w *writer) source(s source) {
	w.text([]byte(s.issuer))
	w.text([]byte(s.metadataURL))
	w.text([]byte(s.address))
}

// A reader takes apart what a writer has joined.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.rest, r.short = nil, true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) number() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) time() time.Time { return time.Unix(0, int64(r.number())) }
func (r *reader) text() []byte    { return r.take(r.number()) }

func (r *reader) source() source {
	return source{string(r.text()), string(r.text()), string(r.text())}
}

// end returns why what was read is not a whole document about the source want, or nil.
func (r *reader) end(about, want source) error {
	switch {
	case r.short || len(r.rest) > 0:
		return errors.New("the document's fields do not fit its length")
	case about != want:
		return fmt.Errorf("the document is about %q, not about %q", cut(about.issuer+about.address), cut(want.issuer+want.address))
	}
	return nil
}
