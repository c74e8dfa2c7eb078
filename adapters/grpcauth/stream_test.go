package grpcauth_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/seed-12ed5b1c/jwtguard/adapters/grpcauth"
	"github.com/seed-12ed5b1c/jwtguard/verifier"
	"github.com/seed-12ed5b1c/jwtguard/verifier/verifiertest"
)

// G7: streams that take longer than a token lives.
func TestStreamsEndWithTheirToken(t *testing.T) {
	// watch sends a message an hour.
	watch := func(s grpc.ServerStream) error {
		ctx, cancel := verifier.UntilExpiry(s.Context())
		defer cancel()
		for tick := time.NewTicker(time.Hour); ; {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-tick.C:
				if err := s.SendMsg(wrapperspb.String("tick")); err != nil {
					return err
				}
			}
		}
	}
	// chat answers each message. Its receiver is a goroutine, which ends with the stream.
	chat := func(s grpc.ServerStream) error {
		ctx, cancel := verifier.UntilExpiry(s.Context())
		defer cancel()
		received := make(chan error)
		go func() {
			for {
				err := s.RecvMsg(new(wrapperspb.StringValue))
				select {
				case received <- err:
				case <-ctx.Done():
					return
				}
				if err != nil {
					return
				}
			}
		}()
		for {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case err := <-received:
				if err == io.EOF {
					return nil
				}
				if err == nil {
					err = s.SendMsg(wrapperspb.String("tick"))
				}
				if err != nil {
					return err
				}
			}
		}
	}
	// forever does not look at the token again.
	forever := func(s grpc.ServerStream) error {
		time.Sleep(10 * time.Hour)
		return s.SendMsg(wrapperspb.String("tick"))
	}
	for name, row := range map[string]struct {
		handler func(grpc.ServerStream) error
		after   time.Duration // when the stream ends
		want    codes.Code
	}{
		"G7 sending":                        {watch, 3*time.Hour + time.Minute, codes.Unauthenticated},
		"G7 receiving":                      {chat, 3*time.Hour + time.Minute, codes.Unauthenticated},
		"G7 without UntilExpiry it goes on": {forever, 10 * time.Hour, codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				iss := verifiertest.NewIssuer(t)
				v := iss.Verifier("https://api.example.com")
				d := service(method, echo, true)
				d.Streams[0].Handler = func(_ any, s grpc.ServerStream) error { return row.handler(s) }
				_, conn := serve(t, grpcauth.Protect(v).Options(), d)
				token := iss.Token(verifiertest.Claims{"exp": time.Now().Add(3 * time.Hour).Unix()})
				began := time.Now()
				s, err := conn.NewStream(metadata.NewOutgoingContext(t.Context(), bearer(token)), &d.Streams[0], method)
				require.NoError(t, err)
				require.NoError(t, s.SendMsg(new(wrapperspb.StringValue)))
				got := 0
				for ; err == nil && got < 20; got++ { // it would not end by itself
					err = s.RecvMsg(new(wrapperspb.StringValue))
				}
				assert.Equal(t, row.after, time.Since(began).Round(time.Second))
				if row.want == codes.OK {
					assert.Equal(t, io.EOF, err)
					return
				}
				assert.Equal(t, row.want, status.Code(err))
				assert.Equal(t, "The access token has expired.", status.Convert(err).Message())
				assert.Equal(t, "INVALID_TOKEN", infoOf(t, err).Reason)
				assert.Greater(t, got, 1)
			})
		})
	}
}
