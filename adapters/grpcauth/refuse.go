package grpcauth

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/seed-12ed5b1c/jwtguard/verifier"
)

// Domain is the domain of the [errdetails.ErrorInfo] in a refusal.
const Domain = "jwtguard"

// Refuse returns the error for a handler to return, as Protect does, and sets its header
// fields as header metadata. The refusal is the *verifier.Error or the reason of package
// verifier that err wraps, and PermissionDenied for any other err. ctx is the handler's. A
// handler need not call it for an error of verifier.Require: errors of package verifier
// become refusals when the handler returns them.
func Refuse(ctx context.Context, err error) error {
	return refuse(ctx, verifier.AsError(ctx, err))
}

// refuseHandlers returns what a handler returned, with errors of package verifier as
// refusals: gRPC would send their text, which is for operators.
func refuseHandlers(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var withStatus interface{ GRPCStatus() *status.Status }
	var e *verifier.Error
	if errors.As(err, &withStatus) || !errors.As(err, &e) && verifier.ReasonName(err) == misconfigured {
		return err
	}
	return Refuse(ctx, err)
}

// misconfigured is the name of errors that are no reason of package verifier.
const misconfigured = "misconfigured"

// codeOf returns the code for a status, as google.rpc.Code maps them.
func codeOf(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.Internal
}

// refuse returns e for clients, and sets its header fields. They are not in the trailer,
// where RFC 9110 §6.5.1 does not allow a challenge.
func refuse(ctx context.Context, e *verifier.Error) error {
	h := make(http.Header)
	e.SetHeaders(h)
	_ = grpc.SetHeader(ctx, toMetadata(h)) // fails in a stream that has sent its header
	info := &errdetails.ErrorInfo{Reason: "NO_TOKEN", Domain: Domain, Metadata: map[string]string{}}
	if code := e.Code(); code != "" {
		info.Reason = strings.ToUpper(code)
	}
	for _, challenge := range h["Www-Authenticate"] {
		addParameters(info.Metadata, challenge)
	}
	details := []protoadapt.MessageV1{info}
	if seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 16); err == nil {
		details = append(details, &errdetails.RetryInfo{RetryDelay: durationpb.New(time.Duration(seconds) * time.Second)})
	}
	st := status.New(codeOf(e.Status()), e.Description())
	if detailed, err := st.WithDetails(details...); err == nil {
		st = detailed
	}
	return &refusal{e, st}
}

// A refusal shows only the client's part of an error, however it is printed. errors.As
// and errors.Is find the operator's part.
type refusal struct {
	err    *verifier.Error
	status *status.Status
}

// GRPCStatus is how package status finds the status.
func (r *refusal) GRPCStatus() *status.Status { return r.status }

func (r *refusal) Error() string { return r.status.Message() }

func (r *refusal) Unwrap() error { return r.err }

// toMetadata returns header fields as metadata, without values that metadata cannot have.
func toMetadata(h http.Header) metadata.MD {
	md := make(metadata.MD, len(h))
	for name, values := range h {
		for _, value := range values {
			if isPrintable(value) {
				md.Append(name, value) // in lower case
			}
		}
	}
	return md
}

// isPrintable reports whether s is of printable ASCII, as a value of metadata must be.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
