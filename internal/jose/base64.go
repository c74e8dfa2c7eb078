package jose

import "encoding/base64"

// base64url without padding (RFC 7515 §2), in which unused bits are zero.
var base64url = base64.RawURLEncoding.Strict()

// AppendDecode appends the decoded text of encoded, unpadded base64url, to b. It returns
// false if encoded has any other character; the result must not be used then. Go's
// decoder skips CR and LF even when it is strict, so the length is compared.
func AppendDecode(b, encoded []byte) ([]byte, bool) {
	start := len(b)
	b, err := base64url.AppendDecode(b, encoded)
	return b, err == nil && base64url.EncodedLen(len(b)-start) == len(encoded)
}
