package release

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/money"
)

const readAhead = 64 << 10

// Head is how many rows an artifact says it has. More do not come; that fewer do not is known at the end.
type Head struct{ Operators, Rules, Rates int64 }

// Reader reads an artifact once, from its start: NewReader, Rules, Rates, Close. What it gives before Close returned
// nil is not to be trusted. It holds a few parts in memory, whatever the size of the artifact. It is not safe for
// concurrent use. A Reader that is left without Close costs nothing but memory.
type Reader struct {
	digest string
	stream *stream
	in     *bufio.Reader
	err    error
	closed bool

	head      Head
	operators []Operator
	fx        []FXRate

	kind protowire.Number // of the part at hand
	part []byte           // with its tag
	body []byte           // without

	rules rulesReader
	rates ratesReader
}

// NewReader reads the head, the operators and the FX rates. The digest and the size in bytes before compression are
// those of a manifest or of Sealed; callers bound the size. It does not close from.
//
// Errors here and later: ErrDigest for bytes other than those that the digest names, ErrCut, ErrSize, ErrLayout for
// bytes that are right and cannot be read, and the faults of the reader below.
func NewReader(from io.Reader, digest string, size int64) (*Reader, error) {
	if !isDigest(digest) {
		return nil, ErrDigest.Wrap(errors.New("the digest is not 64 hexadecimal digits"))
	}
	if size < 1 {
		return nil, ErrSize.Wrap(fmt.Errorf("the size is said to be %d", size))
	}
	s, err := newStream(from, size)
	if err != nil {
		return nil, err
	}
	r := &Reader{digest: digest, stream: s, in: bufio.NewReaderSize(s, readAhead)}
	if err := r.open(); err != nil {
		return nil, r.fail(err)
	}
	return r, nil
}

// Head tells how many rows to make room for. It never promises more than fit into the artifact's size.
func (r *Reader) Head() Head { return r.head }

// Operators gives all operators by id.
func (r *Reader) Operators() []Operator { return r.operators }

// FX gives all FX rates by currency.
func (r *Reader) FX() []FXRate { return r.fx }

// Rules gives the rules that were not read yet, in the order of their keys. The Rule is used again by the next step;
// its prefix and its candidates may be kept, and must not be changed. After an error nothing comes.
func (r *Reader) Rules() iter.Seq2[*Rule, error] {
	return func(yield func(*Rule, error) bool) {
		for {
			more, err := r.nextRule()
			if err != nil {
				yield(nil, err)
				return
			}
			if !more || !yield(&r.rules.row, nil) {
				return
			}
		}
	}
}

// Rates gives the rates that were not read yet, in the order of their keys, and passes over rules that were not read.
// The Rate is used again by the next step; its prefix may be kept. After an error nothing comes.
func (r *Reader) Rates() iter.Seq2[*Rate, error] {
	return func(yield func(*Rate, error) bool) {
		for {
			more, err := r.nextRate()
			if err != nil {
				yield(nil, err)
				return
			}
			if !more || !yield(&r.rates.row, nil) {
				return
			}
		}
	}
}

// Close reads the rest, and returns nil only if the whole artifact is right. It may be called again.
func (r *Reader) Close() error {
	if r.closed {
		return nil
	}
	for more := true; more; {
		var err error
		if more, err = r.nextRate(); err != nil {
			return err
		}
	}
	if err := r.finish(); err != nil {
		r.err = err
		return err
	}
	r.closed, r.err = true, errClosed
	return nil
}

// errClosed is what the steps of a closed reader give.
var errClosed = errors.New("the artifact's reader is closed")

func (r *Reader) finish() error {
	if r.kind != tailPart || len(r.body) > 0 {
		return r.fail(layout("there is no tail"))
	}
	if _, err := r.in.Peek(1); !errors.Is(err, io.EOF) {
		return r.fail(layout("there is more after the tail"))
	}
	return r.stream.verify(r.digest)
}

// fail remembers the error. What seems a wrong layout is damage if the bytes are not those that the digest names.
func (r *Reader) fail(err error) error {
	if errors.Is(err, ErrLayout) {
		if damage := r.stream.verify(r.digest); damage != nil {
			err = damage
		}
	}
	r.err = err
	return err
}

// advance reads the next part.
func (r *Reader) advance() error {
	length, err := binary.ReadUvarint(r.in)
	if err != nil {
		return cut(err)
	}
	if length < 1 || length > maxPart {
		return layout("a part of %d bytes", length)
	}
	if uint64(cap(r.part)) < length {
		r.part = make([]byte, length, min(length+length/8, maxPart))
	}
	r.part = r.part[:length]
	if _, err := io.ReadFull(r.in, r.part); err != nil {
		return cut(err)
	}
	m := message{rest: r.part}
	if !m.next() {
		return m.err
	}
	kind, body := m.field, m.bytes()
	switch {
	case m.err != nil:
		return m.err
	case len(m.rest) > 0:
		return layout("a part holds more than one thing")
	case kind < r.kind || kind == r.kind && kind != operatorsPart && kind != rulesPart && kind != ratesPart || kind > tailPart:
		return layout("a part of kind %d after one of kind %d", kind, r.kind)
	case kind != rulesPart && kind != ratesPart && len(body) > maxSmallPart:
		return layout("a part of kind %d has %d bytes", kind, len(body))
	}
	r.kind, r.body = kind, body
	return nil
}

// cut is an end that comes too early, or the error of the stream.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut.Wrap(io.ErrUnexpectedEOF)
	}
	if errors.Is(err, ErrDigest) || errors.Is(err, ErrCut) || errors.Is(err, ErrSize) || isFault(err) {
		return err
	}
	return layout("the length of a part: %w", err)
}

// open reads everything before the rules.
func (r *Reader) open() error {
	if err := r.advance(); err != nil {
		return err
	}
	if err := r.readHead(); err != nil {
		return err
	}
	if err := r.advance(); err != nil {
		return err
	}
	for r.kind == operatorsPart {
		if err := r.readOperators(); err != nil {
			return err
		}
		if err := r.advance(); err != nil {
			return err
		}
	}
	if int64(len(r.operators)) != r.head.Operators {
		return layout("%d operators instead of %d", len(r.operators), r.head.Operators)
	}
	if r.kind == fxPart {
		if err := r.readFX(); err != nil {
			return err
		}
		return r.advance()
	}
	return nil
}

func (r *Reader) readHead() error {
	if r.kind != headPart {
		return layout("it starts with a part of kind %d", r.kind)
	}
	var h releasesv1.ArtifactHead
	if err := proto.Unmarshal(r.body, &h); err != nil {
		return layout("the head: %w", err)
	}
	if h.GetFormat() != format {
		return layout("format %d is not known", h.GetFormat())
	}
	r.head = Head{Operators: h.GetOperatorCount(), Rules: h.GetRuleCount(), Rates: h.GetRateCount()}
	size := r.stream.size
	if !fits(r.head.Operators, minOperator, size) || !fits(r.head.Rules, minRule, size) || !fits(r.head.Rates, minRate, size) ||
		r.head.Operators > maxOperators {
		return layout("%+v does not fit into %d bytes", r.head, size)
	}
	return nil
}

func fits(rows, bytes, size int64) bool { return rows >= 0 && rows <= size/bytes }

func (r *Reader) readOperators() error {
	var part releasesv1.ArtifactOperators
	if err := proto.Unmarshal(r.body, &part); err != nil {
		return layout("operators: %w", err)
	}
	if len(part.GetOperators()) == 0 {
		return layout("a part without operators")
	}
	for _, o := range part.GetOperators() {
		row := Operator{
			Name: o.GetName(), Host: o.GetHost(), Port: o.GetPort(), SystemID: o.GetSystemId(), MaxTPS: o.GetMaxTps(),
			Status: o.GetStatus(), ReceivesOnly: o.GetReceivesOnly(),
		}
		if len(o.GetOperatorId()) != idSize {
			return layout("an operator's id has %d bytes", len(o.GetOperatorId()))
		}
		row.ID = uuid.UUID(o.GetOperatorId())
		for _, t := range o.GetMessageTypes() {
			if err := checkMessageType(t); err != nil {
				return layout("operator %s: %w", row.ID, err)
			}
			row.Types |= 1 << (t - 1)
		}
		if err := row.check(); err != nil {
			return layout("operator %s: %w", row.ID, err)
		}
		if n := len(r.operators); n > 0 && compareOperators(&r.operators[n-1], &row) >= 0 {
			return layout("the operators are not in order")
		}
		r.operators = append(r.operators, row)
	}
	if int64(len(r.operators)) > r.head.Operators {
		return layout("more than %d operators", r.head.Operators)
	}
	return nil
}

func (r *Reader) readFX() error {
	var part releasesv1.ArtifactFxRates
	if err := proto.Unmarshal(r.body, &part); err != nil {
		return layout("FX rates: %w", err)
	}
	codes, nanos := part.GetCurrencyCodes(), part.GetRateNanos()
	if len(codes) != len(nanos) || len(codes) == 0 || len(codes) > maxFX {
		return layout("%d currencies with %d rates", len(codes), len(nanos))
	}
	for i := range codes {
		currency, err := money.ParseCurrency(codes[i])
		if err != nil {
			return layout("a currency: %w", err)
		}
		row := FXRate{Currency: currency, Nanos: nanos[i]}
		if err := row.check(); err != nil {
			return layout("FX rate %s: %w", currency, err)
		}
		if i > 0 && compareFX(&r.fx[i-1], &row) >= 0 {
			return layout("the FX rates are not in order")
		}
		r.fx = append(r.fx, row)
	}
	return nil
}
