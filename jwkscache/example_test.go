package jwkscache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/seed-12ed5b1c/jwtguard/jwkscache"
)

// The public key of RFC 8037, appendix A.2.
const exampleSet = `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"2026-11","alg":"EdDSA",
	"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

func ExampleStatic() {
	keys, err := jwkscache.Static([]byte(exampleSet))
	if err != nil {
		log.Fatal(err)
	}
	found, err := keys.Lookup(context.Background(), jwkscache.Query{KeyID: "2026-11", Algorithm: "EdDSA"})
	fmt.Printf("%T %v\n", found[0], err)

	found, err = keys.Lookup(context.Background(), jwkscache.Query{KeyID: "2020-01", Algorithm: "EdDSA"})
	fmt.Println(len(found), err)
	// Output:
	// ed25519.PublicKey <nil>
	// 0 <nil>
}

func ExampleForURL() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, exampleSet)
	}))
	defer server.Close()

	keys, err := jwkscache.ForURL(server.URL+"/jwks", jwkscache.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := keys.Ready(ctx); err != nil {
		log.Fatal(err)
	}
	found, err := keys.Lookup(ctx, jwkscache.Query{KeyID: "2026-11", Algorithm: "EdDSA"})
	fmt.Println(len(found), err)
	// Output: 1 <nil>
}

func ExampleCache_Lookup() {
	keys, err := jwkscache.ForURL("https://login.example/jwks", jwkscache.Config{
		HTTPClient: &http.Client{Transport: http.NewFileTransport(http.Dir("no-such-place"))}, // a server that is down
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	defer keys.Close()

	_, err = keys.Lookup(context.Background(), jwkscache.Query{KeyID: "2026-11", Algorithm: "EdDSA"})
	fmt.Println("cannot tell:", errors.Is(err, jwkscache.ErrUnavailable))
	// Output: cannot tell: true
}

func ExampleCache_Stats() {
	keys, err := jwkscache.Static([]byte(`{"keys":[
		{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"a"},
		{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"b","use":"enc"}]}`))
	if err != nil {
		log.Fatal(err)
	}
	stats := keys.Stats()
	fmt.Println(stats.State, stats.Keys)
	for _, why := range stats.KeyWarnings {
		fmt.Println(why)
	}
	// Output:
	// fresh 1
	// key 1 (kid "b"): use is "enc", not sig
}
