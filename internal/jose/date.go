package jose

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// LastDate is the end of the year 9999, in seconds.
const LastDate = 253402300799

// maxDateLength is how long the text of a date may be, in bytes, since it is read
// before the signature is verified.
const maxDateLength = 64

// The errors of [Date], beside ErrKind.
var (
	ErrRange = errors.New("out of range")
	ErrLong  = errors.New("too long")
)

// Date reads the text of a NumericDate (RFC 7519 §2), in UTC. It is the zero time for no
// text. Negative ones, and years after 9999, are out of range.
func Date(value string) (time.Time, error) {
	switch {
	case value == "":
		return time.Time{}, nil
	case value[0] != '-' && (value[0] < '0' || value[0] > '9'):
		return time.Time{}, ErrKind
	case len(value) > maxDateLength:
		return time.Time{}, ErrLong
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || f > LastDate || math.Signbit(f) {
		return time.Time{}, ErrRange
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)).UTC(), nil
}
