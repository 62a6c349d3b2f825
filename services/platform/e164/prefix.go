package e164

// Prefix is the leading part of a number: 1 to 15 digits without the plus sign,
// the first not 0. Prefixes are not sensitive. The zero value means that there
// is no prefix.
type Prefix string

// ParsePrefix reads the written form, such as "+44"; it accepts exactly
// ^\+[1-9]\d{0,14}$. The error is one of the Err variables of this package.
func ParsePrefix(s string) (Prefix, error) {
	if err := check(s, MinPrefixDigits, MaxPrefixDigits); err != nil {
		return "", err
	}
	return Prefix(s[1:]), nil
}

// String returns the written form, such as "+44", or "" for the zero value.
func (p Prefix) String() string {
	if p == "" {
		return ""
	}
	return "+" + string(p)
}

// Digits returns the prefix without the plus sign.
func (p Prefix) Digits() string { return string(p) }

// MarshalText returns the written form.
func (p Prefix) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText parses the written form. Empty text gives the zero value.
func (p *Prefix) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = ""
		return nil
	}
	parsed, err := ParsePrefix(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
