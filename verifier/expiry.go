package verifier

import "context"

// UntilExpiry returns a copy of ctx, the context of an admitted request, that ends when
// a request with the same token would no longer be admitted because of its exp: at exp
// plus the leeway. [context.Cause] is then [ErrExpired]. It is for responses that take
// longer than a token lives, such as text/event-stream, and for WebSockets: a token is
// checked when a request begins, and nothing else ends what it began. Without a token,
// as inside Optional, the copy ends with ctx. Call cancel when the response is complete.
func UntilExpiry(ctx context.Context) (_ context.Context, cancel context.CancelFunc) {
	t, ok := FromContext(ctx)
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, t.expiresAt.Add(t.policy.leeway), ErrExpired)
}
