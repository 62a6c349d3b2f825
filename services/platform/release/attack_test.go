package release

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/encoding/protowire"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/fault"
)

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

// plain gives the bytes before compression.
func plain(t require.TestingT, stored []byte) []byte {
	z, err := zstd.NewReader(bytes.NewReader(stored), zstd.WithDecoderConcurrency(1))
	require.NoError(t, err)
	defer z.Close()
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	return b
}

func packed(t require.TestingT, plain []byte, opts ...zstd.EOption) []byte {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, append([]zstd.EOption{zstd.WithEncoderConcurrency(1)}, opts...)...)
	require.NoError(t, err)
	_, err = z.Write(plain)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return out.Bytes()
}

func digestOf(plain []byte) string {
	sum := sha256.Sum256(plain)
	return hex.EncodeToString(sum[:])
}

func refused(t *testing.T, err error, reasons ...*fault.Fault) {
	t.Helper()
	require.Error(t, err)
	for _, r := range reasons {
		if errors.Is(err, r) {
			return
		}
	}
	require.Fail(t, "another reason", "%v (%v)", err, errors.Unwrap(err))
}

func TestAFlippedBitAnywhereIsRefused(t *testing.T) {
	stored, s := sealed(t, small(), limits{2, 2, 2})
	for i := range stored {
		damaged := slices.Clone(stored)
		damaged[i] ^= 1 << (i % 8)
		if _, err := readAll(damaged, s.Digest, s.Size); err != nil {
			refused(t, err, ErrDigest, ErrCut, ErrSize)
			continue
		}
		// A bit of the frame that says nothing about the content may flip: what is read is what was named.
		require.Equal(t, s.Digest, digestOf(plain(t, damaged)))
	}
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	require.NoError(t, err)
	defer func() { _ = z.Close() }()
	content := plain(t, stored)
	for i := range content {
		damaged := slices.Clone(content)
		damaged[i] ^= 1 << (i % 8)
		_, err := readAll(z.EncodeAll(damaged, nil), s.Digest, s.Size)
		refused(t, err, ErrDigest, ErrCut)
	}
}

func TestAnArtifactThatIsCutAnywhereIsRefused(t *testing.T) {
	stored, s := sealed(t, small(), limits{2, 2, 2})
	for n := range stored {
		_, err := readAll(stored[:n], s.Digest, s.Size)
		refused(t, err, ErrCut, ErrDigest)
	}
	content := plain(t, stored)
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	require.NoError(t, err)
	defer func() { _ = z.Close() }()
	for n := range content {
		short := z.EncodeAll(content[:n], nil)
		_, err := readAll(short, s.Digest, s.Size)
		refused(t, err, ErrCut)
		// Not even when the digest is that of what is left.
		_, err = readAll(short, digestOf(content[:n]), s.Size)
		refused(t, err, ErrCut)
	}
}

func TestAnythingBehindAnArtifactIsRefused(t *testing.T) {
	stored, s := sealed(t, small(), defaultLimits())
	content := plain(t, stored)
	for name, damaged := range map[string][]byte{
		"a byte":                    append(slices.Clone(stored), 0),
		"the artifact once more":    append(slices.Clone(stored), stored...),
		"a byte before compression": packed(t, append(slices.Clone(content), 0)),
		"a tail more":               packed(t, append(slices.Clone(content), content[len(content)-3:]...)),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(damaged, s.Digest, s.Size)
			refused(t, err, ErrDigest, ErrSize, ErrCut) // a frame that starts and does not go on
		})
	}
	more := append(slices.Clone(content), 0)
	_, err := readAll(packed(t, more), digestOf(more), int64(len(more)))
	refused(t, err, ErrLayout)
}

func TestSizesAreBounds(t *testing.T) {
	stored, s := sealed(t, small(), defaultLimits())
	_, err := readAll(stored, s.Digest, s.Size-1)
	refused(t, err, ErrSize)
	_, err = readAll(stored, s.Digest, s.Size+1)
	refused(t, err, ErrSize)
	for _, size := range []int64{0, -1} {
		_, err = NewReader(bytes.NewReader(stored), s.Digest, size)
		refused(t, err, ErrSize)
	}
	t.Run("a bomb is left when the size is reached", func(t *testing.T) {
		bomb := packed(t, make([]byte, 32<<20), zstd.WithWindowSize(window))
		require.Less(t, len(bomb), 1<<14)
		_, err := NewReader(bytes.NewReader(bomb), s.Digest, s.Size)
		refused(t, err, ErrSize)
	})
	t.Run("a window larger than ours is refused", func(t *testing.T) {
		wide := packed(t, make([]byte, 17<<20), zstd.WithWindowSize(16<<20))
		_, err := NewReader(bytes.NewReader(wide), s.Digest, 17<<20)
		refused(t, err, ErrSize)
	})
	t.Run("frames that hold nothing have an end", func(t *testing.T) {
		skipped := append([]byte{0x50, 0x2a, 0x4d, 0x18, 0, 0, 1, 0}, make([]byte, 1<<16)...)
		in := &counted{from: io.MultiReader(bytes.NewReader(bytes.Repeat(skipped, 64)), bytes.NewReader(stored))}
		_, err := NewReader(in, s.Digest, s.Size)
		refused(t, err, ErrSize)
		require.LessOrEqual(t, in.n, storedLimit(s.Size))
	})
}

// counted is how much was read.
type counted struct {
	from io.Reader
	n    int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

func TestDigestsThatAreNoneAreRefused(t *testing.T) {
	stored, s := sealed(t, small(), defaultLimits())
	for name, digest := range map[string]string{
		"empty": "", "short": s.Digest[1:], "of another artifact": digestOf(nil), "not hexadecimal": "x" + s.Digest[1:],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(stored, digest, s.Size)
			refused(t, err, ErrDigest)
		})
	}
}

func TestErrorsOfTheReaderBelowAreNoFaultOfTheArtifact(t *testing.T) {
	stored, s := sealed(t, small(), defaultLimits())
	away := fault.New(fault.Unavailable, "AWAY", "It is away.")
	for n := range stored {
		_, err := readAll2(io.MultiReader(bytes.NewReader(stored[:n]), iotest.ErrReader(away)), s)
		refused(t, err, away)
	}
	_, err := readAll2(iotest.OneByteReader(bytes.NewReader(stored)), s)
	require.NoError(t, err)
	_, err = readAll2(iotest.DataErrReader(bytes.NewReader(stored)), s)
	require.NoError(t, err)
}

func readAll2(from io.Reader, s Sealed) (*Reader, error) {
	r, err := NewReader(from, s.Digest, s.Size)
	if err != nil {
		return nil, err
	}
	return r, r.Close()
}

// forged reads an artifact that someone made with the schema, under its true digest.
func forged(t *testing.T, change func(parts []*releasesv1.ArtifactPart) []*releasesv1.ArtifactPart) error {
	t.Helper()
	stored, _ := sealed(t, small(), defaultLimits())
	in := bytes.NewReader(plain(t, stored))
	var parts []*releasesv1.ArtifactPart
	for in.Len() > 0 {
		part := &releasesv1.ArtifactPart{}
		require.NoError(t, protodelim.UnmarshalFrom(in, part))
		parts = append(parts, part)
	}
	var out bytes.Buffer
	for _, part := range change(parts) {
		_, err := protodelim.MarshalTo(&out, part)
		require.NoError(t, err)
	}
	_, err := readAll(packed(t, out.Bytes()), digestOf(out.Bytes()), int64(out.Len()))
	return err
}

func TestForgedArtifactsAreRefused(t *testing.T) {
	type parts = []*releasesv1.ArtifactPart
	const head, operators, fx, rules, rates, tail = 0, 1, 2, 3, 4, 5
	require.NoError(t, forged(t, func(p parts) parts { return p }), "the forger's tools make what is accepted")

	arranged := func(order ...int) func(parts) parts {
		return func(p parts) parts {
			var out parts
			for _, i := range order {
				out = append(out, p[i])
			}
			return out
		}
	}
	onHead := func(f func(*releasesv1.ArtifactHead)) func(parts) parts {
		return func(p parts) parts { f(p[head].GetHead()); return p }
	}
	onOperators := func(f func(*releasesv1.ArtifactOperators)) func(parts) parts {
		return func(p parts) parts { f(p[operators].GetOperators()); return p }
	}
	onFX := func(f func(*releasesv1.ArtifactFxRates)) func(parts) parts {
		return func(p parts) parts { f(p[fx].GetFxRates()); return p }
	}
	onRules := func(f func(*releasesv1.ArtifactRules)) func(parts) parts {
		return func(p parts) parts { f(p[rules].GetRules()); return p }
	}
	onRates := func(f func(*releasesv1.ArtifactRates)) func(parts) parts {
		return func(p parts) parts { f(p[rates].GetRates()); return p }
	}
	for name, change := range map[string]func(parts) parts{
		"no head":                 arranged(operators, fx, rules, rates, tail),
		"two heads":               arranged(head, head, operators, fx, rules, rates, tail),
		"operators twice":         arranged(head, operators, operators, fx, rules, rates, tail),
		"FX rates twice":          arranged(head, operators, fx, fx, rules, rates, tail),
		"rules twice":             arranged(head, operators, fx, rules, rules, rates, tail),
		"rates twice":             arranged(head, operators, fx, rules, rates, rates, tail),
		"two tails":               arranged(head, operators, fx, rules, rates, tail, tail),
		"FX rates before":         arranged(head, fx, operators, rules, rates, tail),
		"rates before rules":      arranged(head, operators, fx, rates, rules, tail),
		"a tail before the end":   arranged(head, operators, fx, tail, rules, rates),
		"operators left out":      arranged(head, fx, rules, rates, tail),
		"rules left out":          arranged(head, operators, fx, rates, tail),
		"rates left out":          arranged(head, operators, fx, rules, tail),
		"an empty part":           func(p parts) parts { return append(p[:3], append(parts{{}}, p[3:]...)...) },
		"a format of tomorrow":    onHead(func(h *releasesv1.ArtifactHead) { h.Format = 2 }),
		"no format":               onHead(func(h *releasesv1.ArtifactHead) { h.Format = 0 }),
		"one operator too few":    onHead(func(h *releasesv1.ArtifactHead) { h.OperatorCount++ }),
		"one operator too many":   onHead(func(h *releasesv1.ArtifactHead) { h.OperatorCount-- }),
		"one rule too few":        onHead(func(h *releasesv1.ArtifactHead) { h.RuleCount++ }),
		"one rule too many":       onHead(func(h *releasesv1.ArtifactHead) { h.RuleCount-- }),
		"one rate too few":        onHead(func(h *releasesv1.ArtifactHead) { h.RateCount++ }),
		"one rate too many":       onHead(func(h *releasesv1.ArtifactHead) { h.RateCount-- }),
		"less than no rates":      onHead(func(h *releasesv1.ArtifactHead) { h.RateCount = -1 }),
		"more rules than fit":     onHead(func(h *releasesv1.ArtifactHead) { h.RuleCount = 1 << 60 }),
		"more rates than fit":     onHead(func(h *releasesv1.ArtifactHead) { h.RateCount = 1 << 60 }),
		"more operators than fit": onHead(func(h *releasesv1.ArtifactHead) { h.OperatorCount = 1 << 60 }),

		"no operators in a part":      onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators = nil }),
		"operators out of order":      onOperators(func(o *releasesv1.ArtifactOperators) { slices.Reverse(o.Operators) }),
		"an operator twice":           onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators[1] = o.Operators[0] }),
		"a short operator id":         onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators[0].OperatorId = []byte("short") }),
		"an unknown status":           onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators[0].Status = "BUSY" }),
		"an operator's unknown type":  onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators[0].MessageTypes[0] = 4 }),
		"an operator's negative type": onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators[0].MessageTypes[0] = -1 }),
		"a port beyond all ports":     onOperators(func(o *releasesv1.ArtifactOperators) { o.Operators[0].Port = 65536 }),
		"FX codes without rates":      onFX(func(f *releasesv1.ArtifactFxRates) { f.RateNanos = f.RateNanos[:1] }),
		"FX rates out of order":       onFX(func(f *releasesv1.ArtifactFxRates) { slices.Reverse(f.CurrencyCodes) }),
		"an unknown currency":         onFX(func(f *releasesv1.ArtifactFxRates) { f.CurrencyCodes[1] = "XXX" }),
		"an FX rate below zero":       onFX(func(f *releasesv1.ArtifactFxRates) { f.RateNanos[0] = -1 }),
		"no FX rates in a part":       onFX(func(f *releasesv1.ArtifactFxRates) { f.Reset() }),
		"rules without ids":           onRules(func(r *releasesv1.ArtifactRules) { r.RuleIds = nil }),
		"a byte of a rule id missing": onRules(func(r *releasesv1.ArtifactRules) { r.RuleIds = r.RuleIds[1:] }),
		"a rule id missing":           onRules(func(r *releasesv1.ArtifactRules) { r.RuleIds = r.RuleIds[idSize:] }),
		"a rule without id":           onRules(func(r *releasesv1.ArtifactRules) { copy(r.RuleIds, make([]byte, idSize)) }),
		"a rule twice": onRules(func(r *releasesv1.ArtifactRules) {
			copy(r.RuleIds, r.RuleIds[idSize:2*idSize])
			r.Prefixes = []byte("\x00\x0244\x02\x00\x02\x00\x02\x00\x02\x0d7911123456789\x02\x0280")
			r.MessageTypes[0] = r.MessageTypes[1]
		}),
		"accounts out of order":       onRules(func(r *releasesv1.ArtifactRules) { r.Accounts[1] = 1 }),
		"an account out of range":     onRules(func(r *releasesv1.ArtifactRules) { r.Accounts[5] = 3 }),
		"an account without id":       onRules(func(r *releasesv1.ArtifactRules) { copy(r.AccountIds, make([]byte, idSize)) }),
		"half an account id":          onRules(func(r *releasesv1.ArtifactRules) { r.AccountIds = r.AccountIds[:8] }),
		"too few accounts":            onRules(func(r *releasesv1.ArtifactRules) { r.Accounts = r.Accounts[1:] }),
		"too many types":              onRules(func(r *releasesv1.ArtifactRules) { r.MessageTypes = append(r.MessageTypes, 1) }),
		"types of tomorrow":           onRules(func(r *releasesv1.ArtifactRules) { r.MessageTypes[0] = 8 }),
		"no types":                    onRules(func(r *releasesv1.ArtifactRules) { r.MessageTypes[0] = 0 }),
		"an unknown strategy":         onRules(func(r *releasesv1.ArtifactRules) { r.Strategies[0] = 5 }),
		"no strategy":                 onRules(func(r *releasesv1.ArtifactRules) { r.Strategies[0] = 0 }),
		"too few strategies":          onRules(func(r *releasesv1.ArtifactRules) { r.Strategies = r.Strategies[1:] }),
		"unknown flags":               onRules(func(r *releasesv1.ArtifactRules) { r.Flags[0] = 4 }),
		"too few flags":               onRules(func(r *releasesv1.ArtifactRules) { r.Flags = r.Flags[1:] }),
		"a span out of range":         onRules(func(r *releasesv1.ArtifactRules) { r.RowSpans[0] = 4 }),
		"too few spans":               onRules(func(r *releasesv1.ArtifactRules) { r.RowSpans = r.RowSpans[1:] }),
		"a span without bounds":       onRules(func(r *releasesv1.ArtifactRules) { r.Spans[0].HasFrom = false; r.Spans[0].FromMicros = 0 }),
		"a bound that does not count": onRules(func(r *releasesv1.ArtifactRules) { r.Spans[0].ToMicros = 1 }),
		"a bound beyond the calendar": onRules(func(r *releasesv1.ArtifactRules) { r.Spans[0].FromMicros = maxMicros + 1 }),
		"a bound that means none":     onRules(func(r *releasesv1.ArtifactRules) { r.Spans[0].FromMicros = minMicros - 1 }),
		"the lowest of all bounds":    onRules(func(r *releasesv1.ArtifactRules) { r.Spans[0].FromMicros = noTime }),
		"a list out of range":         onRules(func(r *releasesv1.ArtifactRules) { r.RowCandidates[0] = 2 }),
		"too few lists":               onRules(func(r *releasesv1.ArtifactRules) { r.RowCandidates = r.RowCandidates[1:] }),
		"an empty list":               onRules(func(r *releasesv1.ArtifactRules) { r.CandidateLists[0] = &releasesv1.ArtifactCandidates{} }),
		"half a candidate": onRules(func(r *releasesv1.ArtifactRules) {
			r.CandidateLists[0].OperatorIds = r.CandidateLists[0].OperatorIds[:24]
		}),
		"a candidate too many": onRules(func(r *releasesv1.ArtifactRules) {
			r.CandidateLists[0].Priorities = append(r.CandidateLists[0].Priorities, 3)
		}),
		"a weight too few": onRules(func(r *releasesv1.ArtifactRules) { r.CandidateLists[0].Weights = r.CandidateLists[0].Weights[1:] }),
		"a price too few":  onRules(func(r *releasesv1.ArtifactRules) { r.CandidateLists[0].PriceNanos = r.CandidateLists[0].PriceNanos[1:] }),
		"a currency too many": onRules(func(r *releasesv1.ArtifactRules) {
			r.CandidateLists[0].CurrencyCodes = append(r.CandidateLists[0].CurrencyCodes, "EUR")
		}),
		"a currency too few": onRules(func(r *releasesv1.ArtifactRules) {
			r.CandidateLists[0].CurrencyCodes = r.CandidateLists[0].CurrencyCodes[1:]
		}),
		"a candidate's bad currency": onRules(func(r *releasesv1.ArtifactRules) { r.CandidateLists[0].CurrencyCodes[0] = "eur" }),
		"a price without currency":   onRules(func(r *releasesv1.ArtifactRules) { r.CandidateLists[0].PriceNanos[0] = 1 }),
		"a negative weight":          onRules(func(r *releasesv1.ArtifactRules) { r.CandidateLists[0].Weights[0] = -1 }),
		"more candidates than a rule may have": onRules(func(r *releasesv1.ArtifactRules) {
			list := r.CandidateLists[0]
			for n := len(list.Weights); n <= 100; n++ {
				list.OperatorIds = append(list.OperatorIds, list.OperatorIds[:idSize]...)
				list.Priorities, list.Weights = append(list.Priorities, 1), append(list.Weights, 1)
				list.PriceNanos, list.CurrencyCodes = append(list.PriceNanos, 0), append(list.CurrencyCodes, "")
			}
		}),
		"prefixes out of order":        onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes[2] = '9' }),
		"a prefix that is no digits":   onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes[2] = '/' }),
		"a prefix that starts with 0":  onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes[2] = '0' }),
		"a prefix of no digits":        onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes = append([]byte{0, 0}, r.Prefixes[3:]...) }),
		"a prefix that shares nothing": onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes[0] = 1 }),
		"a prefix with 16 digits": onRules(func(r *releasesv1.ArtifactRules) {
			r.Prefixes = append(append(r.Prefixes[:11:11], 2, 14), "791112345678990280"...)
		}),
		"prefixes that are cut": onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes = r.Prefixes[:len(r.Prefixes)-1] }),
		"a prefix too many":     onRules(func(r *releasesv1.ArtifactRules) { r.Prefixes = append(r.Prefixes, 4, 0) }),

		"rates without ids":              onRates(func(r *releasesv1.ArtifactRates) { r.RateIds = nil }),
		"a rate without id":              onRates(func(r *releasesv1.ArtifactRates) { copy(r.RateIds, make([]byte, idSize)) }),
		"rates out of order":             onRates(func(r *releasesv1.ArtifactRates) { r.RowSpans[1], r.RowSpans[2] = r.RowSpans[2], r.RowSpans[1] }),
		"a rate's operator out of range": onRates(func(r *releasesv1.ArtifactRates) { r.Operators[0] = 2 }),
		"an operator without id":         onRates(func(r *releasesv1.ArtifactRates) { copy(r.OperatorIds, make([]byte, idSize)) }),
		"half an operator id":            onRates(func(r *releasesv1.ArtifactRates) { r.OperatorIds = r.OperatorIds[:8] }),
		"too few operators":              onRates(func(r *releasesv1.ArtifactRates) { r.Operators = r.Operators[1:] }),
		"an unknown message type":        onRates(func(r *releasesv1.ArtifactRates) { r.MessageTypes[0] = 4 }),
		"too few message types":          onRates(func(r *releasesv1.ArtifactRates) { r.MessageTypes = r.MessageTypes[1:] }),
		"a price below zero":             onRates(func(r *releasesv1.ArtifactRates) { r.PriceNanos[0] = -1 }),
		"too few prices":                 onRates(func(r *releasesv1.ArtifactRates) { r.PriceNanos = r.PriceNanos[1:] }),
		"a currency out of range":        onRates(func(r *releasesv1.ArtifactRates) { r.Currencies[0] = 2 }),
		"a rate without currency":        onRates(func(r *releasesv1.ArtifactRates) { r.CurrencyCodes[0] = "" }),
		"too few currencies":             onRates(func(r *releasesv1.ArtifactRates) { r.Currencies = r.Currencies[1:] }),
		"a rate's span out of range":     onRates(func(r *releasesv1.ArtifactRates) { r.RowSpans[0] = 4 }),
		"too few spans of rates":         onRates(func(r *releasesv1.ArtifactRates) { r.RowSpans = r.RowSpans[1:] }),
		"fields of tomorrow": func(p parts) parts {
			p[rates].GetRates().ProtoReflect().SetUnknown(protowire.AppendVarint(protowire.AppendTag(nil, 99, protowire.VarintType), 1))
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := forged(t, change)
			require.Error(t, err)
			if !errors.Is(err, ErrCut) { // parts behind the tail, or none at all
				require.ErrorIs(t, err, ErrLayout)
			}
		})
	}
}

func TestALengthThatLiesTakesNoMemory(t *testing.T) {
	for name, length := range map[string]uint64{"larger than any part": maxPart + 1, "larger than any memory": 1<<64 - 1, "zero": 0} {
		t.Run(name, func(t *testing.T) {
			b := protowire.AppendVarint(nil, length)
			_, err := readAll(packed(t, b), digestOf(b), int64(len(b)))
			refused(t, err, ErrLayout)
		})
	}
	t.Run("a varint without end", func(t *testing.T) {
		b := bytes.Repeat([]byte{0xff}, 20)
		_, err := readAll(packed(t, b), digestOf(b), int64(len(b)))
		refused(t, err, ErrLayout)
	})
	t.Run("operators beyond the bytes of a part", func(t *testing.T) {
		body := bytes.Repeat([]byte{0x0a, 0x00}, maxSmallPart/2+1)
		head := []byte{4, 0x0a, 2, 0x08, 1}
		b := protowire.AppendVarint(head, uint64(len(protowire.AppendBytes([]byte{0x12}, body))))
		b = protowire.AppendBytes(append(b, 0x12), body)
		_, err := readAll(packed(t, b), digestOf(b), int64(len(b)))
		refused(t, err, ErrLayout)
	})
}

func TestAReaderMayBeLeftAndSkipped(t *testing.T) {
	stored, s := sealed(t, small(), limits{2, 2, 2})
	open := func(t *testing.T) *Reader {
		r, err := NewReader(bytes.NewReader(stored), s.Digest, s.Size)
		require.NoError(t, err)
		require.Equal(t, Head{3, 6, 4}, r.Head())
		return r
	}
	t.Run("Close checks what was not read", func(t *testing.T) {
		r := open(t)
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		for _, err := range r.Rules() {
			require.Error(t, err, "a closed reader gives nothing")
		}
	})
	t.Run("rules go on where they were left", func(t *testing.T) {
		r := open(t)
		var got []Rule
		for len(got) < 6 {
			for rule, err := range r.Rules() {
				require.NoError(t, err)
				got = append(got, *rule)
				break
			}
		}
		require.Equal(t, small().Rules, got)
		require.NoError(t, r.Close())
	})
	t.Run("rates pass over rules", func(t *testing.T) {
		r := open(t)
		for _, err := range r.Rules() {
			require.NoError(t, err)
			break
		}
		var got []Rate
		for rate, err := range r.Rates() {
			require.NoError(t, err)
			got = append(got, *rate)
		}
		require.Equal(t, small().Rates, got)
		require.NoError(t, r.Close())
	})
	t.Run("an error stays", func(t *testing.T) {
		damaged := packed(t, plain(t, stored)[:s.Size-20])
		r, err := NewReader(bytes.NewReader(damaged), s.Digest, s.Size)
		require.NoError(t, err)
		require.ErrorIs(t, r.Close(), ErrCut)
		require.ErrorIs(t, r.Close(), ErrCut)
		for _, err := range r.Rates() {
			require.ErrorIs(t, err, ErrCut)
		}
	})
}

func FuzzReader(f *testing.F) {
	stored, _ := sealed(f, small(), limits{2, 2, 2})
	content := plain(f, stored)
	f.Add(content, true)
	f.Add(stored, false)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, b []byte, compress bool) {
		if len(b) > 1<<20 {
			return
		}
		digest, size := digestOf(b), int64(len(b))
		if compress {
			b = packed(t, b, zstd.WithEncoderLevel(zstd.SpeedFastest))
		} else {
			size = 1 << 20
		}
		got, err := readAll(b, digest, size)
		if err != nil {
			var known *fault.Fault
			require.ErrorAs(t, err, &known)
			return
		}
		// What is accepted can be written again.
		_, err = Compile(io.Discard, got)
		require.NoError(t, err)
	})
}
