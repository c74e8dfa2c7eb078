package grpcauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/internal/conformance"
)

func TestConformance(t *testing.T) {
	for name, b := range map[string]bridge{
		"G1 unary":     {t: t},
		"G1 streaming": {t: t, streaming: true},
		"G1 ServeHTTP": {t: t, serveHTTP: true},
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Run(t, conformance.Framework{
				Build: b.build, Recovers: true,
				Route: func(_, path string) string { return "POST " + fullMethod(path) },
			})
		})
	}
}

// A bridge makes a gRPC call of each HTTP request, and an HTTP response of its result,
// so that the table of the other adapters can be asked of gRPC.
type bridge struct {
	t                    *testing.T
	streaming, serveHTTP bool
}

// fullMethod is the method in place of a path.
func fullMethod(path string) string {
	return "/conformance/" + strings.ReplaceAll(strings.Trim(path, "/"), "/", ".")
}

func (b bridge) build(routes []conformance.Route) http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		var opts []grpc.ServerOption
		for _, layer := range conformance.Middleware(rt, grpcauth.Protect, grpcauth.Optional, grpcauth.Require) {
			opts = append(opts, layer.Options()...)
		}
		name := fullMethod(rt.Path)
		answer := func(ctx context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
			assert.NoError(b.t, grpc.SetHeader(ctx, metadata.Pairs(conformance.Ran, "yes")))
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, in.Value, nil)
			require.NoError(b.t, err)
			tok, ok := grpcauth.Token(ctx)
			body, err := rt.Handle(r, tok, ok)
			if err != nil {
				return nil, grpcauth.Refuse(ctx, err)
			}
			return wrapperspb.String(body), nil
		}
		s, conn := serve(b.t, opts, service(name, answer, b.streaming))
		mux.HandleFunc(rt.Path, func(w http.ResponseWriter, r *http.Request) {
			call := overHTTP2(conn)
			// HTTP/2 has no line breaks and zero bytes in a field, and the client sends
			// nothing but printable ASCII. net/http's server takes more, and passes it on.
			if b.serveHTTP || !isPrintable(r.Header) {
				call = overServeHTTP(s)
			}
			in := &wrapperspb.StringValue{Value: (&url.URL{Path: r.URL.Path, RawQuery: r.URL.RawQuery}).String()}
			out, header, err := call(r.Context(), name, toMetadata(r.Header), in)
			respond(w, r, out, header, err)
		})
	}
	return mux
}

func isPrintable(h http.Header) bool {
	for _, values := range h {
		for _, c := range strings.Join(values, "") {
			if c < ' ' || c > '~' {
				return false
			}
		}
	}
	return true
}

// toMetadata leaves out the fields of HTTP/1.1, and those that gRPC writes itself.
func toMetadata(h http.Header) metadata.MD {
	md := metadata.MD{}
	for name, values := range h {
		switch name {
		case "Connection", "Content-Length", "Content-Type", "Trailer", "Transfer-Encoding":
		default:
			md.Append(name, values...)
		}
	}
	return md
}

// respond writes the result of a call as the other adapters respond.
func respond(w http.ResponseWriter, r *http.Request, out *wrapperspb.StringValue, header metadata.MD, err error) {
	for name, values := range header {
		if name != "content-type" {
			for _, v := range values {
				w.Header().Add(name, v)
			}
		}
	}
	if err == nil {
		_, _ = w.Write([]byte(out.Value))
		return
	}
	st := status.Convert(err)
	body := map[string]string{"error_description": st.Message()}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.Reason != "NO_TOKEN" {
			body["error"] = strings.ToLower(info.Reason)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(map[codes.Code]int{
		codes.InvalidArgument: 400, codes.Unauthenticated: 401, codes.PermissionDenied: 403, codes.Internal: 500, codes.Unavailable: 503,
	}[st.Code()])
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(body)
	}
}

// A caller calls a method.
type caller func(ctx context.Context, method string, md metadata.MD, in *wrapperspb.StringValue) (*wrapperspb.StringValue, metadata.MD, error)

func overHTTP2(conn *grpc.ClientConn) caller {
	return func(ctx context.Context, method string, md metadata.MD, in *wrapperspb.StringValue) (*wrapperspb.StringValue, metadata.MD, error) {
		out := new(wrapperspb.StringValue)
		s, err := conn.NewStream(metadata.NewOutgoingContext(ctx, md), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method)
		if err != nil {
			return nil, nil, err
		}
		_ = s.SendMsg(in) // the error is that of RecvMsg
		_ = s.CloseSend()
		err = s.RecvMsg(out)
		header, _ := s.Header()
		return out, header, err
	}
}

// overServeHTTP calls the server as a handler of net/http.
func overServeHTTP(s *grpc.Server) caller {
	return func(ctx context.Context, method string, md metadata.MD, in *wrapperspb.StringValue) (*wrapperspb.StringValue, metadata.MD, error) {
		message, err := proto.Marshal(in)
		if err != nil {
			return nil, nil, err
		}
		frame := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, method, bytes.NewReader(append(frame, message...)))
		r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/2.0", 2, 0
		for key, values := range md {
			r.Header[http.CanonicalHeaderKey(key)] = values
		}
		r.Header.Set("Content-Type", "application/grpc")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		res := w.Result()
		header := metadata.MD{}
		for name, values := range res.Header {
			header.Append(name, values...)
		}
		code, err := strconv.Atoi(res.Trailer.Get("Grpc-Status"))
		if err != nil {
			return nil, nil, err
		}
		if code != 0 {
			st := new(spb.Status)
			details, err := base64.RawStdEncoding.DecodeString(res.Trailer.Get("Grpc-Status-Details-Bin"))
			if err == nil {
				err = proto.Unmarshal(details, st)
			}
			if err != nil {
				return nil, nil, err
			}
			return nil, header, status.ErrorProto(st)
		}
		out := new(wrapperspb.StringValue)
		return out, header, proto.Unmarshal(w.Body.Bytes()[5:], out)
	}
}

type answerer func(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)

// service describes a service with the one method.
func service(fullMethod string, answer answerer, streaming bool) *grpc.ServiceDesc {
	i := strings.LastIndexByte(fullMethod, '/')
	d := &grpc.ServiceDesc{ServiceName: fullMethod[1:i], HandlerType: (*any)(nil)}
	if streaming {
		d.Streams = []grpc.StreamDesc{{StreamName: fullMethod[i+1:], ServerStreams: true, ClientStreams: true, Handler: func(_ any, s grpc.ServerStream) error {
			in := new(wrapperspb.StringValue)
			if err := s.RecvMsg(in); err != nil {
				return err
			}
			out, err := answer(s.Context(), in)
			if err != nil {
				return err
			}
			return s.SendMsg(out)
		}}}
		return d
	}
	d.Methods = []grpc.MethodDesc{{MethodName: fullMethod[i+1:], Handler: func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.StringValue)
		if err := dec(in); err != nil {
			return nil, err
		}
		handler := func(ctx context.Context, req any) (any, error) { return answer(ctx, req.(*wrapperspb.StringValue)) }
		if interceptor == nil {
			return handler(ctx, in)
		}
		return interceptor(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: fullMethod}, handler)
	}}}
	return d
}

// serve starts a server in memory, and returns it with a connection to it.
func serve(t testing.TB, opts []grpc.ServerOption, d *grpc.ServiceDesc) (*grpc.Server, *grpc.ClientConn) {
	t.Helper()
	return serveWith(t, opts, func(s *grpc.Server) { s.RegisterService(d, struct{}{}) })
}

func serveWith(t testing.TB, opts []grpc.ServerOption, register func(*grpc.Server)) (*grpc.Server, *grpc.ClientConn) {
	t.Helper()
	s := grpc.NewServer(opts...)
	register(s)
	return s, connect(t, s)
}

// connect serves s in memory, and returns a connection to it.
func connect(t testing.TB, s *grpc.Server) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 16)
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	conn, err := grpc.NewClient("passthrough:///api.example.com",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, conn.Close())
		s.Stop()
		assert.NoError(t, <-served)
	})
	return conn
}
