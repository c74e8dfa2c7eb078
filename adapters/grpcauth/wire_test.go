package grpcauth_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
)

// What only a client that writes its own frames can send. Where gRPC itself refuses it,
// no Guard is asked; the point is that nothing of it is admitted.
func TestOnTheWire(t *testing.T) {
	v, good, seen := conformance.Observed(t)
	token := "Bearer " + good
	const (
		unauthenticated = "16"
		invalidArgument = "3"
		unimplemented   = "12"
		internal        = "13"
		reset           = "reset" // without a status
	)
	for name, row := range map[string]struct {
		path   string   // of method if empty
		fields []string // names and values
		want   string
		asked  bool // whether the Guard was
	}{
		"G3 once":                          {"", []string{"authorization", token}, "0", true},
		"G3 not at all":                    {"", nil, unauthenticated, true},
		"G3 twice":                         {"", []string{"authorization", token, "authorization", token}, invalidArgument, true},
		"G3 twice, others between":         {"", []string{"authorization", token, "accept", "x", "authorization", "Bearer x"}, invalidArgument, true},
		"G3 twice, one of them empty":      {"", []string{"authorization", "", "authorization", token}, invalidArgument, true},
		"G3 joined by a client":            {"", []string{"authorization", token + ", " + token}, invalidArgument, true},
		"G3 joined without a space":        {"", []string{"authorization", token + "," + token}, invalidArgument, true},
		"G3 a name in upper case":          {"", []string{"Authorization", token}, reset, false},
		"G3 both cases":                    {"", []string{"authorization", "Bearer x", "Authorization", token}, reset, false},
		"G3 a line break":                  {"", []string{"authorization", token + "\r\nx: y"}, reset, false},
		"G3 a zero byte":                   {"", []string{"authorization", token + "\x00"}, reset, false},
		"G3 a tab":                         {"", []string{"authorization", "Bearer\t" + good}, invalidArgument, true},
		"G3 not ASCII":                     {"", []string{"authorization", token + "\xe9"}, invalidArgument, true},
		"G3 binary":                        {"", []string{"authorization-bin", "QmVhcmVyIHg"}, unauthenticated, true},
		"G3 binary that is not base64":     {"", []string{"authorization-bin", token}, internal, false},
		"G3 a pseudo header":               {"", []string{":authorization", token}, reset, false},
		"G3 a pseudo header after a field": {"", []string{"accept", "x", ":path", "/other"}, reset, false},
		"G3 a second path":                 {"", []string{":path", "/orders.v1.Orders/Other", "authorization", token}, reset, false},
		"G3 a proxy's":                     {"", []string{"proxy-authorization", token}, unauthenticated, true},
		"G3 a cookie":                      {"", []string{"cookie", "authorization=" + token}, unauthenticated, true},
		"G3 in the query":                  {method + "?access_token=" + good, nil, unimplemented, false},
		"G4 no slash before the path":      {method[1:], []string{"authorization", token}, unimplemented, false},
		"G4 two slashes":                   {"/" + method, []string{"authorization", token}, unimplemented, false},
		"G4 escaped":                       {strings.Replace(method, "/L", "%2FL", 1), []string{"authorization", token}, unimplemented, false},
		"G4 a star":                        {"*", []string{"authorization", token}, unimplemented, false},
		"G4 the service's pattern":         {"/orders.v1.Orders/*", []string{"authorization", token}, unimplemented, false},
	} {
		for kind, streaming := range kinds {
			t.Run(name+", "+kind, func(t *testing.T) {
				seen()
				s := grpc.NewServer(grpcauth.Methods{"/orders.v1.Orders/*": v.Protect()}.Options()...)
				d := service(method, echo, streaming)
				s.RegisterService(d, struct{}{})
				l, err := net.Listen("tcp", "127.0.0.1:0")
				require.NoError(t, err)
				go func() { _ = s.Serve(l) }()
				defer s.Stop()
				path := method
				if row.path != "" {
					path = row.path
				}
				got := rawCall(t, l.Addr().String(), path, row.fields)
				assert.Equal(t, row.want, got)
				assert.Equal(t, row.asked, len(seen()) == 1)
			})
		}
	}
}

// rawCall sends a call with these fields after the pseudo headers and an empty message,
// and returns its grpc-status.
func rawCall(t *testing.T, addr, path string, fields []string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, http2.ClientPreface)
	require.NoError(t, err)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	require.NoError(t, framer.WriteSettings())
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	all := append([]string{":method", "POST", ":scheme", "http", ":path", path, ":authority", "x", "content-type", "application/grpc", "te", "trailers"}, fields...)
	for i := 0; i < len(all); i += 2 {
		require.NoError(t, enc.WriteField(hpack.HeaderField{Name: all[i], Value: all[i+1]}))
	}
	require.NoError(t, framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true}))
	require.NoError(t, framer.WriteData(1, true, make([]byte, 5)))
	for {
		f, err := framer.ReadFrame()
		require.NoError(t, err)
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				require.NoError(t, framer.WriteSettingsAck())
			}
		case *http2.MetaHeadersFrame:
			for _, field := range f.Fields {
				if field.Name == "grpc-status" {
					return field.Value
				}
			}
		case *http2.RSTStreamFrame:
			return "reset"
		}
	}
}

// G3: behind TLS, and where net/http has the connection, a Guard sees its state.
func TestTLS(t *testing.T) {
	certificate := httptest.NewUnstartedServer(nil)
	certificate.StartTLS()
	defer certificate.Close()
	client := certificate.Client().Transport.(*http.Transport).TLSClientConfig
	client.ServerName = "example.com"
	var got *http.Request
	s := grpc.NewServer(append(grpcauth.Guard(recorder(&got)).Options(), grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: certificate.TLS.Certificates, NextProtos: []string{"h2"},
	})))...)
	s.RegisterService(service(method, echo, false), struct{}{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = s.Serve(l) }()
	defer s.Stop()
	mounted := httptest.NewUnstartedServer(s)
	mounted.EnableHTTP2 = true
	mounted.StartTLS()
	defer mounted.Close()
	for name, addr := range map[string]string{"G3 gRPC's transport": l.Addr().String(), "G3 net/http's": mounted.Listener.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(credentials.NewTLS(client)))
			require.NoError(t, err)
			defer conn.Close()
			assert.Equal(t, codes.OK, code(t, conn, method, nil))
			require.NotNil(t, got.TLS)
			assert.True(t, got.TLS.HandshakeComplete)
			assert.Equal(t, "example.com", got.TLS.ServerName)
			host, _, err := net.SplitHostPort(got.RemoteAddr)
			assert.NoError(t, err)
			assert.Equal(t, "127.0.0.1", host)
		})
	}
}
