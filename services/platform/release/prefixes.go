package release

import (
	"trunkline/services/platform/e164"
)

// prefixWriter encodes prefixes that come in order, each by what differs from the one before.
type prefixWriter struct{ last e164.Prefix }

func (w *prefixWriter) append(b []byte, p e164.Prefix) []byte {
	shared := 0
	for shared < len(p) && shared < len(w.last) && p[shared] == w.last[shared] {
		shared++
	}
	w.last = p
	return append(append(b, byte(shared), byte(len(p)-shared)), p[shared:]...)
}

// prefixReader decodes a column at a time. All prefixes of a column lie in one string.
type prefixReader struct {
	column  []byte
	text    string
	at      int
	last    e164.Prefix
	scratch []byte
}

// load checks a column of rows prefixes: digits, lengths, and that none is below the one before it.
func (r *prefixReader) load(column []byte, rows int) error {
	var last [e164.MaxPrefixDigits]byte
	have := copy(last[:], r.last)
	text, rest := r.scratch[:0], column
	for range rows {
		if len(rest) < 2 || len(rest)-2 < int(rest[1]) {
			return layout("the prefixes are cut")
		}
		shared, more := int(rest[0]), rest[2:2+int(rest[1])]
		rest = rest[2+len(more):]
		n := shared + len(more)
		switch {
		case shared > have || n > len(last) || n == 0:
			return layout("a prefix shares %d of %d digits and has %d", shared, have, n)
		case shared < have && (len(more) == 0 || more[0] <= last[shared]):
			return layout("the prefixes are not in order")
		case len(more) == 0:
			continue // the same again
		}
		for _, c := range more {
			if c < '0' || c > '9' {
				return layout("a prefix is not made of digits")
			}
		}
		have = shared + copy(last[shared:], more)
		if last[0] == '0' {
			return layout("a prefix starts with 0")
		}
		text = append(text, last[:have]...)
	}
	if len(rest) > 0 {
		return layout("there are more prefixes than rows")
	}
	r.column, r.text, r.at, r.scratch = column, string(text), 0, text
	return nil
}

// next gives the next prefix of a loaded column, and whether it is the same as the one before.
func (r *prefixReader) next() (p e164.Prefix, same bool) {
	shared, more := int(r.column[0]), int(r.column[1])
	r.column = r.column[2+more:]
	if more == 0 {
		return r.last, true
	}
	r.last = e164.Prefix(r.text[r.at : r.at+shared+more])
	r.at += shared + more
	return r.last, false
}
