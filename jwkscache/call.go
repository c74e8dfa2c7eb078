package jwkscache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// maxStoreCall is how long one call of a Store may take.
const maxStoreCall = time.Second

var errStoreBusy = errors.New("an earlier call of the Store has not returned yet")

// A storeCaller calls a Store in a goroutine of its own, so that nothing that the Store
// does holds up or ends the scheduler's: one call at a time, also if one never
// returns.
type storeCaller struct {
	returned chan struct{} // closed when the last call has; nil before the first
}

// call returns what f returns, or an error after maxStoreCall.
func call[T any](c *storeCaller, ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	var none T
	if c.returned != nil {
		select {
		case <-c.returned:
		default:
			return none, errStoreBusy
		}
	}
	ctx, cancel := context.WithTimeout(ctx, maxStoreCall)
	defer cancel()
	results, returned := make(chan result, 1), make(chan struct{})
	c.returned = returned
	go func() {
		r := result{err: errors.New("the Store ended its goroutine")}
		defer func() {
			if p := recover(); p != nil {
				r = result{err: shorten(fmt.Errorf("the Store panicked: %v", p))}
			}
			close(returned) // before the result, after which the next call may come
			results <- r
		}()
		value, err := f(ctx)
		if err != nil {
			err = shorten(err)
		}
		r = result{value, err}
	}()
	select {
	case r := <-results:
		return r.value, r.err
	case <-ctx.Done():
		if ctx.Err() == context.DeadlineExceeded {
			return none, fmt.Errorf("the Store did not respond within %s", maxStoreCall)
		}
		return none, ctx.Err()
	}
}

// wait waits for the last call to return, for up to maxStoreCall.
func (c *storeCaller) wait() {
	if c.returned == nil {
		return
	}
	timer := time.NewTimer(maxStoreCall)
	defer timer.Stop()
	select {
	case <-c.returned:
	case <-timer.C:
	}
}
