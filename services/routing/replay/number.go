package replay

import (
	"crypto/sha256"
	"encoding/binary"

	"trunkline/services/platform/e164"
	"trunkline/services/routing"
)

// usualDigits is the length of a number of which the log does not tell it.
const usualDigits = 12

// complete gives a number that starts and is as long as the sample says. The other digits are drawn from the decision's
// id. It is "" for a sample of no number.
func complete(s *routing.Sample) e164.Number {
	length := s.Digits
	if length == 0 {
		length = usualDigits
	}
	length = min(max(length, len(s.Start), e164.MinNumberDigits), e164.MaxNumberDigits)
	var text [1 + e164.MaxNumberDigits]byte
	number := append(text[:0], '+')
	number = append(number, s.Start.Digits()...)
	sum := sha256.Sum256(s.Decision[:])
	// 14 digits at most are taken from 64 bits, so that each digit is as likely as the next.
	for drawn := binary.BigEndian.Uint64(sum[:]); len(number) <= length; drawn /= 10 {
		number = append(number, '0'+byte(drawn%10))
	}
	n, err := e164.Parse(string(number))
	if err != nil {
		return ""
	}
	return n
}
