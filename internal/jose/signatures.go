package jose

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
)

// Verify reports whether signature is a signature of signed by key with exactly this
// algorithm. It is false for a key of another type, size or curve. Verify neither keeps
// nor changes the slices.
func (a *Algorithm) Verify(key crypto.PublicKey, signed, signature []byte) bool {
	switch a.scheme {
	case pkcs1v15:
		k, ok := key.(*rsa.PublicKey)
		return ok && isUsableRSA(k) && len(signature) == k.Size() &&
			rsa.VerifyPKCS1v15(k, a.hash, a.digest(signed, new(digestBuffer)), signature) == nil
	case pss:
		k, ok := key.(*rsa.PublicKey)
		return ok && isUsableRSA(k) && len(signature) == k.Size() &&
			rsa.VerifyPSS(k, a.hash, a.digest(signed, new(digestBuffer)), signature, saltLengthEqualsHash) == nil
	case ecdsaRaw:
		k, ok := key.(*ecdsa.PublicKey)
		return ok && a.verifyECDSA(k, signed, signature)
	case eddsa:
		k, ok := key.(ed25519.PublicKey)
		return ok && len(k) == ed25519.PublicKeySize && !hasSmallOrder(k) && ed25519.Verify(k, signed, signature)
	case hmacSHA:
		k, ok := key.(Secret)
		return ok && k != nil && a.verifyHMAC(k(), signed, signature)
	}
	return false
}

// RFC 7518 §3.5 requires a salt as long as the hash.
var saltLengthEqualsHash = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}

// A digestBuffer has room for a digest of any length.
type digestBuffer [sha512.Size]byte

func (a *Algorithm) digest(signed []byte, b *digestBuffer) []byte {
	switch a.hash {
	case crypto.SHA256:
		d := sha256.Sum256(signed)
		return b[:copy(b[:], d[:])]
	case crypto.SHA384:
		d := sha512.Sum384(signed)
		return b[:copy(b[:], d[:])]
	default:
		*b = sha512.Sum512(signed)
		return b[:]
	}
}

func isUsableRSA(k *rsa.PublicKey) bool {
	if k == nil || k.N == nil {
		return false
	}
	bits := k.N.BitLen()
	return bits >= MinRSABits && bits <= MaxRSABits && k.E >= 3 && k.E%2 == 1
}

// verifyECDSA requires r and s at the curve's full length (RFC 7518 §3.4).
// ecdsa.VerifyASN1 refuses both outside 0 < x < n.
func (a *Algorithm) verifyECDSA(k *ecdsa.PublicKey, signed, signature []byte) bool {
	//lint:ignore SA1019 VerifyASN1 would panic for a key without coordinates
	if k == nil || k.Curve != a.curve || k.X == nil || k.Y == nil {
		return false
	}
	if len(signature) != 2*a.KeySize {
		return false
	}
	var der [3 + 2*(2+1+66)]byte
	return ecdsa.VerifyASN1(k, a.digest(signed, new(digestBuffer)), appendDER(der[:0], signature[:a.KeySize], signature[a.KeySize:]))
}

// appendDER appends the DER encoding of the numbers r and s, of at most 66 bytes
// each: Ecdsa-Sig-Value of RFC 3279 §2.2.3.
func appendDER(b, r, s []byte) []byte {
	const sequence, integer, longLength = 0x30, 0x02, 0x81
	r, s = trimZeros(r), trimZeros(s)
	length := 2 + len(r) + signByte(r) + 2 + len(s) + signByte(s)
	b = append(b, sequence)
	if length > 127 {
		b = append(b, longLength)
	}
	b = append(b, byte(length))
	for _, x := range [][]byte{r, s} {
		b = append(b, integer, byte(len(x)+signByte(x)))
		if signByte(x) == 1 {
			b = append(b, 0)
		}
		b = append(b, x...)
	}
	return b
}

// trimZeros drops leading zeros, but not the last digit.
func trimZeros(x []byte) []byte {
	for len(x) > 1 && x[0] == 0 {
		x = x[1:]
	}
	return x
}

// signByte returns 1 if x needs a leading zero in DER, so that it is not negative.
func signByte(x []byte) int { return int(x[0] >> 7) }

func (a *Algorithm) verifyHMAC(k, signed, signature []byte) bool {
	m := hmac.New(a.hash.New, k)
	m.Write(signed)
	return hmac.Equal(m.Sum(nil), signature)
}
