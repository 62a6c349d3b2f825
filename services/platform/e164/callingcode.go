package e164

// codeLength holds the length of the country code for every pair of leading
// digits. ITU-T E.164 annex D gives zones 1 and 7 one digit and lists the
// two-digit codes; every other code has three digits, also where it is still
// unassigned.
var codeLength = buildCodeLength()

func buildCodeLength() (lengths [100]uint8) {
	for i := 10; i < 100; i++ {
		lengths[i] = 3
	}
	for _, code := range []int{
		20, 27,
		30, 31, 32, 33, 34, 36, 39,
		40, 41, 43, 44, 45, 46, 47, 48, 49,
		51, 52, 53, 54, 55, 56, 57, 58,
		60, 61, 62, 63, 64, 65, 66,
		81, 82, 84, 86,
		90, 91, 92, 93, 94, 95, 98,
	} {
		lengths[code] = 2
	}
	return lengths
}

// CallingCode returns the ITU country code at the start of digits (no plus
// sign). It returns "" when digits is too short to hold a whole code or does not
// start with a digit 1-9. It does not allocate. It decides by the structure of
// the numbering plan, so it also answers for codes that are not assigned yet.
func CallingCode(digits string) string {
	if digits == "" || digits[0] < '1' || digits[0] > '9' {
		return ""
	}
	if digits[0] == '1' || digits[0] == '7' {
		return digits[:1]
	}
	if len(digits) < 2 || !isDigit(digits[1]) {
		return ""
	}
	if codeLength[int(digits[0]-'0')*10+int(digits[1]-'0')] == 2 {
		return digits[:2]
	}
	if len(digits) < 3 || !isDigit(digits[2]) {
		return ""
	}
	return digits[:3]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
