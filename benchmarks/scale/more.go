package scale

import "context"

// More measures what Parts leaves out: up to a million tokens, refreshes beside
// quiet, and refusals.
func More(ctx context.Context, e Effort) (parts []Part, err error) {
	for _, part := range []func(context.Context, Effort) (Part, error){roundAndRound, refreshes, refusals} {
		p, err := part(ctx, e)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}
