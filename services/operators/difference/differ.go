package difference

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	"trunkline/services/platform/release"
)

// partSize is how many changes one answer holds.
const partSize = 500

// Differ compares releases.
type Differ struct {
	now func() time.Time
}

// New gives a differ. Prices are compared from now on.
func New(now func() time.Time) *Differ { return &Differ{now} }

// Diff gives the sums first, then up to maxChanges changes in parts: operators by id, FX rates by currency, rules by
// prefix, account and message types, and prices: raised by most percent first, then those with another currency or other
// dates, ended, new, and lowered by most percent. Where rules and prices do not both fit, each has at least half of the
// room. base may be nil, for nothing. Nothing is given of artifacts that are not whole; faults are those of the sources.
// The same two releases at the same moment give the same bytes. Both are read and closed before anything is given.
func (d *Differ) Diff(
	ctx context.Context, base, draft release.Source, maxChanges int, give func(*releasesv1.DiffReleaseResponse) error,
) error {
	c := &comparison{now: d.now().UTC(), most: maxChanges, prices: priceChanges{most: maxChanges}}
	if err := c.read(ctx, base, draft); err != nil {
		return err
	}
	return c.give(give)
}

// read compares two releases. base may be nil.
func (c *comparison) read(ctx context.Context, base, draft release.Source) error {
	before, err := open(ctx, base)
	if err != nil {
		return err
	}
	defer before.free()
	after, err := open(ctx, draft)
	if err != nil {
		return err
	}
	defer after.free()

	failure := c.compare(ctx, before, after)
	// What is wrong with an artifact is known at its end, and tells better than anything else why it cannot be read.
	for _, s := range []*side{before, after} {
		if err := s.close(); err != nil {
			return err
		}
	}
	if failure != nil {
		return failure
	}
	if base != nil {
		c.summary.BaseReleaseId = base.ID().String()
	}
	return nil
}

// side is one of the two releases; without a reader it is empty.
type side struct {
	reader *release.Reader
	closer io.Closer
}

func open(ctx context.Context, source release.Source) (*side, error) {
	if source == nil {
		return &side{}, nil
	}
	reader, closer, err := source.Open(ctx)
	return &side{reader, closer}, err
}

func (s *side) close() error {
	if s.reader == nil {
		return nil
	}
	return s.reader.Close()
}

func (s *side) free() {
	if s.closer != nil {
		_ = s.closer.Close() // all was read
	}
}

func (s *side) operators() []release.Operator {
	if s.reader == nil {
		return nil
	}
	return s.reader.Operators()
}

func (s *side) fx() []release.FXRate {
	if s.reader == nil {
		return nil
	}
	return s.reader.FX()
}

func (s *side) rules() iter.Seq2[*release.Rule, error] {
	if s.reader == nil {
		return each[release.Rule](nil)
	}
	return s.reader.Rules()
}

func (s *side) rates() iter.Seq2[*release.Rate, error] {
	if s.reader == nil {
		return each[release.Rate](nil)
	}
	return s.reader.Rates()
}

// comparison is one diff under way.
type comparison struct {
	now     time.Time
	most    int
	summary releasesv1.ReleaseDiffSummary
	names   map[uuid.UUID]string
	touched prefixes

	// settings are operators and FX rates; rules has at most as many as are told.
	settings, rules []*releasesv1.ReleaseChange
	prices          priceChanges
}

func (c *comparison) compare(ctx context.Context, before, after *side) error {
	c.names = map[uuid.UUID]string{}
	for _, s := range []*side{before, after} {
		for _, o := range s.operators() {
			c.names[o.ID] = o.Name
		}
	}
	return errors.Join(
		merge(each(before.operators()), each(after.operators()), compareOperatorIDs, func(old, present []release.Operator) {
			c.setting(operatorChange(at(old, 0), at(present, 0)), &c.summary.OperatorsChanged)
		}),
		merge(each(before.fx()), each(after.fx()), compareCurrencies, func(old, present []release.FXRate) {
			c.setting(fxChange(at(old, 0), at(present, 0)), &c.summary.FxRatesChanged)
		}),
		merge(within(ctx, before.rules()), within(ctx, after.rules()), compareRuleKeys, func(old, present []release.Rule) {
			for i := range max(len(old), len(present)) {
				c.rule(at(old, i), at(present, i))
			}
		}),
		merge(within(ctx, before.rates()), within(ctx, after.rates()), compareRateKeys, func(old, present []release.Rate) {
			if change, differs := comparePrices(old, present, c.now); differs {
				c.touched.addRate(change.prefix)
				c.prices.add(change)
			}
		}),
	)
}

func (c *comparison) setting(change *releasesv1.ReleaseChange, count *int64) {
	if change == nil {
		return
	}
	*count++
	if len(c.settings) < c.most {
		c.settings = append(c.settings, change)
	}
}

func (c *comparison) rule(before, after *release.Rule) {
	change := ruleChange(before, after, c.names)
	if change == nil {
		return
	}
	switch change.GetKind() {
	case releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_ADDED:
		c.summary.RulesAdded++
	case releasesv1.ReleaseChangeKind_RELEASE_CHANGE_KIND_REMOVED:
		c.summary.RulesRemoved++
	default:
		c.summary.RulesChanged++
	}
	if before == nil {
		before = after
	}
	c.touched.addRule(before.Prefix)
	if len(c.rules) < c.most {
		c.rules = append(c.rules, change)
	}
}

func (c *comparison) give(give func(*releasesv1.DiffReleaseResponse) error) error {
	s := &c.summary
	sums := &c.prices.sums
	s.RatesAdded, s.RatesRemoved, s.RatesRaised, s.RatesLowered, s.RatesOther = sums[added], sums[ended], sums[raised], sums[lowered], sums[other]
	s.PrefixCount = c.touched.count()
	s.Identical = s.GetPrefixCount() == 0 && s.GetOperatorsChanged() == 0 && s.GetFxRatesChanged() == 0
	if err := give(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Summary{Summary: s}}); err != nil {
		return err
	}
	all := c.told()
	for len(all) > 0 {
		n := min(len(all), partSize)
		part := &releasesv1.ReleaseChanges{Changes: all[:n]}
		if err := give(&releasesv1.DiffReleaseResponse{Part: &releasesv1.DiffReleaseResponse_Changes{Changes: part}}); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// told gives the changes that there is room for.
func (c *comparison) told() []*releasesv1.ReleaseChange {
	c.prices.rank()
	all := c.settings
	room := c.most - len(all)
	prices := c.prices.kept
	rules := c.rules[:min(len(c.rules), max(room/2, room-len(prices)))]
	all = append(all, rules...)
	for i := range prices[:min(len(prices), room-len(rules))] {
		all = append(all, prices[i].change(c.names))
	}
	return all
}
