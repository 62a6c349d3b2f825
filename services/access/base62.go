package access

const digits62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// appendBase62 appends number, big-endian, in exactly width digits. The number must fit, and be of at most 32 bytes.
func appendBase62(to []byte, number []byte, width int) []byte {
	var rest [32]byte
	n := rest[:copy(rest[:], number)]
	start := len(to)
	for range width {
		to = append(to, digits62[0])
	}
	for at := start + width - 1; at >= start; at-- {
		remainder := 0
		for i, b := range n {
			remainder = remainder<<8 | int(b)
			n[i] = byte(remainder / 62)
			remainder %= 62
		}
		to[at] = digits62[remainder]
	}
	return to
}

func isBase62(text string) bool {
	for i := range len(text) {
		if !isDigit62(text[i]) {
			return false
		}
	}
	return true
}

func isDigit62(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
