package release

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
)

// Sealed names an artifact that was written.
type Sealed struct {
	// Digest is the SHA-256 of the bytes before compression, in lower-case hexadecimal.
	Digest string
	// Size is the number of these bytes, StoredSize of those that were written.
	Size, StoredSize        int64
	Operators, Rules, Rates int64
}

// Compile writes the artifact of c to w. It sorts c in place, and the same rows in any order give the same digest. A
// million rows take seconds. Errors: ErrContent for the first row that no engine would take, and those of w.
func Compile(w io.Writer, c *Content) (Sealed, error) {
	return compile(w, c, defaultLimits())
}

func compile(w io.Writer, c *Content, l limits) (Sealed, error) {
	if err := c.sort(); err != nil {
		return Sealed{}, err
	}
	out := &counter{to: w}
	a, err := newArtifact(out)
	if err != nil {
		return Sealed{}, err
	}
	if err := a.content(c, l); err != nil {
		return Sealed{}, err
	}
	if err := a.z.Close(); err != nil {
		return Sealed{}, err
	}
	return Sealed{
		Digest: hex.EncodeToString(a.sum.Sum(nil)), Size: a.size, StoredSize: out.n,
		Operators: int64(len(c.Operators)), Rules: int64(len(c.Rules)), Rates: int64(len(c.Rates)),
	}, nil
}

type counter struct {
	to io.Writer
	n  int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.n += int64(n)
	return n, err
}

// artifact frames, hashes and compresses parts.
type artifact struct {
	z     *zstd.Encoder
	sum   hash.Hash
	size  int64
	frame []byte
	body  []byte
}

func newArtifact(w io.Writer) (*artifact, error) {
	// The digest tells damage, so the stream needs no checksum of its own.
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(window))
	if err != nil {
		return nil, err
	}
	return &artifact{z: z, sum: sha256.New()}, nil
}

func (a *artifact) content(c *Content, l limits) error {
	head := appendVarint(nil, 1, format)
	head = appendVarint(head, 2, uint64(len(c.Operators)))
	head = appendVarint(head, 3, uint64(len(c.Rules)))
	head = appendVarint(head, 4, uint64(len(c.Rates)))
	if err := a.part(headPart, head); err != nil {
		return err
	}
	for some := range slices.Chunk(c.Operators, l.operators) {
		if err := a.operators(some); err != nil {
			return err
		}
	}
	if err := a.fx(c.FX); err != nil {
		return err
	}
	if err := a.rules(c.Rules, l); err != nil {
		return err
	}
	if err := a.rates(c.Rates, l); err != nil {
		return err
	}
	return a.part(tailPart, nil)
}

// part writes one ArtifactPart after its length.
func (a *artifact) part(kind protowire.Number, body []byte) error {
	length := protowire.SizeTag(kind) + protowire.SizeBytes(len(body))
	if length > maxPart {
		return ErrContent.Wrap(fmt.Errorf("a part of kind %d has %d bytes", kind, length))
	}
	a.frame = protowire.AppendVarint(a.frame[:0], uint64(length))
	a.frame = protowire.AppendTag(a.frame, kind, protowire.BytesType)
	a.frame = protowire.AppendBytes(a.frame, body)
	a.sum.Write(a.frame)
	a.size += int64(len(a.frame))
	_, err := a.z.Write(a.frame)
	return err
}

func (a *artifact) operators(some []Operator) error {
	b := a.body[:0]
	var one []byte
	for i := range some {
		o := &some[i]
		one = appendBytes(one[:0], 1, o.ID[:])
		one = appendBytes(one, 2, []byte(o.Name))
		one = appendBytes(one, 3, []byte(o.Host))
		one = appendVarint(one, 4, uint64(o.Port))
		one = appendBytes(one, 5, []byte(o.SystemID))
		one = appendVarint(one, 6, uint64(o.MaxTPS))
		var types []byte
		for bit := range 3 { // the enum's values are SMS 1, FLASH 2, WAP 3
			if o.Types&(1<<bit) != 0 {
				types = append(types, byte(bit+1))
			}
		}
		one = appendBytes(one, 7, types)
		one = appendBytes(one, 8, []byte(o.Status))
		one = appendVarint(one, 9, bit(o.ReceivesOnly))
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), one)
	}
	a.body = b
	return a.part(operatorsPart, b)
}

func bit(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

func (a *artifact) fx(rates []FXRate) error {
	if len(rates) == 0 {
		return nil
	}
	b := a.body[:0]
	var nanos []byte
	for _, f := range rates {
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), f.Currency[:])
		nanos = protowire.AppendVarint(nanos, uint64(f.Nanos))
	}
	a.body = appendBytes(b, 2, nanos)
	return a.part(fxPart, a.body)
}

// sort puts every row in its place, and refuses rows that cannot be written or come twice.
func (c *Content) sort() error {
	if len(c.Operators) > maxOperators || len(c.FX) > maxFX {
		return ErrContent.Wrap(fmt.Errorf("%d operators and %d currencies are too many", len(c.Operators), len(c.FX)))
	}
	if err := arrange("operator", c.Operators, compareOperators, (*Operator).check, (*Operator).label); err != nil {
		return err
	}
	if err := arrange("FX rate", c.FX, compareFX, (*FXRate).check, (*FXRate).label); err != nil {
		return err
	}
	if err := arrange("rule", c.Rules, compareRules, (*Rule).writable, (*Rule).label); err != nil {
		return err
	}
	return arrange("rate", c.Rates, compareRates, (*Rate).writable, (*Rate).label)
}

func arrange[T any](what string, rows []T, compare func(a, b *T) int, check func(*T) error, label func(*T) string) error {
	refuse := func(row *T, why string) error {
		f := *ErrContent
		f.Message = fmt.Sprintf("The %s %s cannot be released: %s.", what, label(row), why)
		return &f
	}
	ordered := true
	for i := range rows {
		if err := check(&rows[i]); err != nil {
			return refuse(&rows[i], err.Error())
		}
		ordered = ordered && (i == 0 || compare(&rows[i-1], &rows[i]) < 0)
	}
	if ordered {
		return nil
	}
	reorder(rows, compare)
	for i := 1; i < len(rows); i++ {
		if compare(&rows[i-1], &rows[i]) == 0 {
			return refuse(&rows[i], "it is there twice")
		}
	}
	return nil
}

// reorder sorts by moving each row once: rows are too large to be moved by the sort.
func reorder[T any](rows []T, compare func(a, b *T) int) {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return compare(&rows[i], &rows[j]) })
	for start := range order {
		if order[start] == start {
			continue
		}
		held, at := rows[start], start
		for order[at] != start {
			next := order[at]
			rows[at], order[at] = rows[next], at
			at = next
		}
		rows[at], order[at] = held, at
	}
}

func (o *Operator) label() string { return o.ID.String() }
func (f *FXRate) label() string   { return f.Currency.String() }
func (r *Rule) label() string     { return r.ID.String() }
func (r *Rate) label() string     { return r.ID.String() }

func (r *Rule) writable() error {
	if err := r.check(); err != nil {
		return err
	}
	return checkSpan(span{micros(r.From), micros(r.To)})
}

func (r *Rate) writable() error {
	if err := r.check(); err != nil {
		return err
	}
	return checkSpan(span{micros(r.From), micros(r.To)})
}

func checkSpan(s span) error {
	if err := checkMicros(s.from); err != nil {
		return err
	}
	return checkMicros(s.to)
}

func compareOperators(a, b *Operator) int { return bytes.Compare(a.ID[:], b.ID[:]) }

func compareFX(a, b *FXRate) int { return bytes.Compare(a.Currency[:], b.Currency[:]) }

func compareRules(a, b *Rule) int {
	if c := cmp.Compare(a.Prefix, b.Prefix); c != 0 {
		return c
	}
	return compareWithinPrefix(a, b)
}

func compareWithinPrefix(a, b *Rule) int {
	if c := bytes.Compare(a.Account[:], b.Account[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Types, b.Types); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

func compareRates(a, b *Rate) int {
	if c := cmp.Compare(a.Prefix, b.Prefix); c != 0 {
		return c
	}
	return compareRatesWithinPrefix(a, b)
}

func compareRatesWithinPrefix(a, b *Rate) int {
	if c := bytes.Compare(a.Operator[:], b.Operator[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	if c := cmp.Compare(micros(a.From), micros(b.From)); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}
