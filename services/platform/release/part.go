package release

import (
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// format is the layout that is written and read.
const format = 1

// Parts of an artifact: field numbers of ArtifactPart, in the order in which they come.
const (
	headPart protowire.Number = iota + 1
	operatorsPart
	fxPart
	rulesPart
	ratesPart
	tailPart
)

const (
	idSize = 16
	// maxRows is how many rules or rates a part holds, maxPartOperators how many operators.
	maxRows          = 65536
	maxPartOperators = 1000
	// maxPartCandidates is how many different candidates a part of rules holds, besides those of its last list.
	maxPartCandidates = 1 << 17
	// maxPart bounds a part of rules or rates in bytes: the above with the widest of everything is below it. Other
	// parts are far smaller, and are decoded by a library that takes a multiple of their size.
	maxPart      = 16 << 20
	maxSmallPart = 2 << 20
	// minRule, minRate and minOperator are how few bytes a row can take, so that a head cannot promise more than fits.
	minRule, minRate, minOperator = 24, 23, 24

	// window is how far back the compression looks; a reader keeps a multiple of it in memory.
	window = 4 << 20
)

// limits are how much the writer puts in a part. Tests lower them.
type limits struct{ rows, operators, candidates int }

func defaultLimits() limits { return limits{maxRows, maxPartOperators, maxPartCandidates} }

// Flags of a rule.
const (
	fallThroughFlag = 1 << iota
	inactiveFlag
	knownFlags = fallThroughFlag | inactiveFlag
)

// span is a validity as it is stored.
type span struct{ from, to int64 }

var always = span{noTime, noTime}

func appendBytes(b []byte, n protowire.Number, v []byte) []byte {
	if len(v) == 0 {
		return b
	}
	return protowire.AppendBytes(protowire.AppendTag(b, n, protowire.BytesType), v)
}

func appendVarint(b []byte, n protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, n, protowire.VarintType), v)
}

func (s span) append(b []byte) []byte {
	if s.from != noTime {
		b = appendVarint(appendVarint(b, 1, 1), 2, uint64(s.from))
	}
	if s.to != noTime {
		b = appendVarint(appendVarint(b, 3, 1), 4, uint64(s.to))
	}
	return b
}

func readSpan(body []byte) (span, error) {
	s := always
	var from, to int64
	var hasFrom, hasTo bool
	m := message{rest: body}
	for m.next() {
		switch v := m.varint(); m.field {
		case 1:
			hasFrom = v == 1
		case 2:
			from = int64(v)
		case 3:
			hasTo = v == 1
		case 4:
			to = int64(v)
		default:
			m.unknown()
		}
	}
	if m.err != nil {
		return s, m.err
	}
	if hasFrom {
		s.from = from
	}
	if hasTo {
		s.to = to
	}
	if s == always || !hasFrom && from != 0 || !hasTo && to != 0 || s.from == noTime && hasFrom || s.to == noTime && hasTo {
		return s, layout("a span has no bound, or one that does not count")
	}
	for _, at := range []int64{s.from, s.to} {
		if err := checkMicros(at); err != nil {
			return s, layout("a span: %w", err)
		}
	}
	return s, nil
}

// message walks over the fields of an encoded message. Fields come in the order of their numbers, each once, unless
// the caller allows it to repeat. The first mistake ends it and stays in err.
type message struct {
	rest  []byte
	field protowire.Number
	typ   protowire.Type
	err   error
}

func (m *message) next(repeated ...protowire.Number) bool {
	if m.err != nil || len(m.rest) == 0 {
		return false
	}
	field, typ, n := protowire.ConsumeTag(m.rest)
	if n < 0 {
		m.err = layout("a tag: %w", protowire.ParseError(n))
		return false
	}
	again := false
	for _, r := range repeated {
		again = again || field == r
	}
	if field < m.field || field == m.field && !again {
		m.err = layout("field %d after field %d", field, m.field)
		return false
	}
	m.field, m.typ, m.rest = field, typ, m.rest[n:]
	return true
}

func (m *message) bytes() []byte {
	if m.err != nil {
		return nil
	}
	if m.typ != protowire.BytesType {
		m.err = layout("field %d has wire type %d", m.field, m.typ)
		return nil
	}
	v, n := protowire.ConsumeBytes(m.rest)
	if n < 0 {
		m.err = layout("field %d: %w", m.field, protowire.ParseError(n))
		return nil
	}
	m.rest = m.rest[n:]
	return v
}

func (m *message) varint() uint64 {
	if m.err != nil {
		return 0
	}
	if m.typ != protowire.VarintType {
		m.err = layout("field %d has wire type %d", m.field, m.typ)
		return 0
	}
	v, n := protowire.ConsumeVarint(m.rest)
	if n < 0 {
		m.err = layout("field %d: %w", m.field, protowire.ParseError(n))
		return 0
	}
	m.rest = m.rest[n:]
	return v
}

func (m *message) unknown() {
	if m.err == nil {
		m.err = layout("field %d is not known", m.field)
	}
}

// places decodes a column of numbers into dst, at most limit of them.
func (m *message) places(dst []uint32, limit int) []uint32 {
	b := m.bytes()
	dst = dst[:0]
	for len(b) > 0 && m.err == nil {
		v, n := uint64(b[0]), 1
		if v >= 0x80 {
			v, n = protowire.ConsumeVarint(b)
		}
		if n < 0 || v > math.MaxUint32 || len(dst) == limit {
			m.err = layout("field %d has a number that is too large, or too many", m.field)
			break
		}
		dst, b = append(dst, uint32(v)), b[n:]
	}
	return dst
}

// amounts decodes a column of signed numbers into dst, at most limit of them.
func (m *message) amounts(dst []int64, limit int) []int64 {
	b := m.bytes()
	dst = dst[:0]
	for len(b) > 0 && m.err == nil {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 || len(dst) == limit {
			m.err = layout("field %d has a number that is cut, or too many", m.field)
			break
		}
		dst, b = append(dst, int64(v)), b[n:]
	}
	return dst
}
