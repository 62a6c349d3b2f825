package operators_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/operators/releases"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
)

// press is the use cases of releases over a real store, with a bulletin and a shelf that can be broken.
type press struct {
	*desk
	releases  *operators.ReleaseAdmin
	announcer *operators.Announcer
	bulletin  *bulletin
	shelf     *shelf
	importer  *operators.Importer
	// draft makes the drafts.
	draft func() operators.Draft
	// prices is how often the rules were changed.
	prices int
}

// bulletin holds one manifest in memory.
type bulletin struct {
	mu       sync.Mutex
	manifest operators.Manifest
	place    uint64
	down     bool
	// posted has the revisions in their order.
	posted []int64
	// keyless has no key to sign with.
	keyless bool
	// stood is called by Standing when it has read, and posting by Post before it writes.
	stood, posting func()
}

var errNoBulletin = fault.New(fault.Unavailable, "MESSAGING_UNAVAILABLE", "The messaging service is not available.")

func (b *bulletin) Signs() bool { return !b.keyless }

func (b *bulletin) Standing(context.Context) (operators.Manifest, uint64, error) {
	b.mu.Lock()
	manifest, place, down, stood := b.manifest, b.place, b.down, b.stood
	b.mu.Unlock()
	if down {
		return operators.Manifest{}, 0, errNoBulletin
	}
	if stood != nil {
		stood()
	}
	return manifest, place, nil
}

func (b *bulletin) Post(_ context.Context, m operators.Manifest, place uint64) error {
	if b.posting != nil {
		b.posting()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.down:
		return errNoBulletin
	case b.place != place:
		return fault.New(fault.Aborted, operators.ReasonReleaseMoved, "Another manifest came between.")
	}
	b.manifest, b.place = m, b.place+1
	b.posted = append(b.posted, m.Revision)
	return nil
}

func (b *bulletin) breakDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
}

func (b *bulletin) shows() operators.Manifest {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.manifest
}

// shelf holds artifacts in memory.
type shelf struct {
	mu      sync.Mutex
	content map[string][]byte
	// puts is how often something was put there.
	puts int
	// removing is called before an artifact goes.
	removing func(digest string)
}

func (s *shelf) Sum(_ context.Context, digest string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	content, there := s.content[digest]
	if !there {
		return nil, nil
	}
	sum := sha256.Sum256(content)
	return sum[:], nil
}

func (s *shelf) Put(_ context.Context, digest string, content io.Reader) error {
	all, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.content[digest] = all
	s.puts++
	return nil
}

func (s *shelf) Remove(_ context.Context, digest string) error {
	if s.removing != nil {
		s.removing(digest)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.content, digest)
	return nil
}

func (s *shelf) Digests(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.content)), nil
}

func (s *shelf) get(digest string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content[digest]
}

func newPress(t *testing.T, d *desk, policy operators.ReleasePolicy) *press {
	t.Helper()
	p := &press{desk: d, bulletin: &bulletin{}, shelf: &shelf{content: map[string][]byte{}}, draft: releases.NewDraft}
	p.announcer = p.newAnnouncer(2)
	p.releases = operators.NewReleaseAdmin(d.store, func() operators.Draft { return p.draft() }, p.announcer, policy, d.clock.Now, quietLog)
	p.importer = operators.NewImporter(d.store, wakeCounter{d.wakes}, d.clock.Now, quietLog, money.Money{})
	result, err := p.importer.ImportOperators(t.Context(), someone, []byte(
		"name,host,port,system_id,bind_type,max_tps,message_types,status\n"+
			"Alpha,a.example,2775,alpha,TRANSCEIVER,100,SMS|FLASH,ACTIVE\n"+
			"Beta,b.example,2775,beta,TRANSMITTER,50,,ACTIVE\n"), nil)
	require.NoError(t, err)
	require.Empty(t, result.BadLines)
	p.change(t)
	return p
}

// newAnnouncer is one of another process over the same bulletin and shelf.
func (p *press) newAnnouncer(keep int) *operators.Announcer {
	return operators.NewAnnouncer(p.store, p.bulletin, p.shelf, keep, p.clock.Now, quietLog)
}

// onBothPresses runs a test on both stores, with two operators and one rule.
func onBothPresses(t *testing.T, test func(t *testing.T, p *press)) {
	t.Helper()
	onBothStores(t, func(t *testing.T, d *desk) { test(t, newPress(t, d, operators.ReleasePolicy{Signs: true})) })
}

// change gives the rule another price, so that the next release has another content.
func (p *press) change(t *testing.T) {
	t.Helper()
	p.prices++
	price := money.Money{Nanos: int64(p.prices) * 1_000_000}
	price.Currency, _ = money.ParseCurrency("EUR")
	result, err := p.importer.ImportRules(t.Context(), someone, []byte(
		"account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n"+
			",+44,GB,,PRIORITY,FAIL,Alpha,1,,"+price.Decimal()+",EUR\n,+44,GB,,PRIORITY,FAIL,Beta,2,,0.02,EUR\n"), nil)
	require.NoError(t, err)
	require.Empty(t, result.BadLines)
}

// admin is who publishes; someone makes releases.
func admin(id string) operators.Request {
	return operators.Request{Actor: "admin", ID: id, Fingerprint: "print of " + id}
}

func (p *press) make(t *testing.T) operators.Release {
	t.Helper()
	r, _, err := p.releases.CreateRelease(t.Context(), someone, "why", nil)
	require.NoError(t, err)
	return r
}

// next is a release with another content than the one before.
func (p *press) next(t *testing.T) operators.Release {
	t.Helper()
	p.change(t)
	return p.make(t)
}

func of(r operators.Release) operators.Publication {
	return operators.Publication{Target: operators.Target{ID: r.ID}}
}

func (p *press) publish(t *testing.T, r operators.Release) operators.Activation {
	t.Helper()
	_, activation, err := p.releases.PublishRelease(t.Context(), admin(""), of(r))
	require.NoError(t, err)
	return activation
}

func (p *press) read(t *testing.T, id uuid.UUID) (operators.Release, []operators.Activation, operators.Force) {
	t.Helper()
	r, history, force, fresh, err := p.releases.GetRelease(t.Context(), id)
	require.NoError(t, err)
	require.Zero(t, fresh)
	return r, history, force
}

// states are those of all releases, newest first.
func (p *press) states(t *testing.T) (all []operators.ReleaseState) {
	t.Helper()
	page, more, _, err := p.releases.ListReleases(t.Context(), 0, operators.MaxPage)
	require.NoError(t, err)
	require.False(t, more)
	for _, r := range page {
		all = append(all, r.State)
	}
	return all
}

// actions are those of the audit log that are about releases.
func (p *press) actions(t *testing.T) (all []string) {
	t.Helper()
	require.NoError(t, p.db.NewRaw("SELECT action FROM audit_log WHERE entity = 'release' ORDER BY audit_id").Scan(t.Context(), &all))
	return all
}

// content reads a release back and gives the price of its first candidate.
func (p *press) content(t *testing.T, r operators.Release) money.Money {
	t.Helper()
	reader, closer, err := releases.NewLibrary(p.store).Source(r).Open(t.Context())
	require.NoError(t, err)
	var price money.Money
	for rule, err := range reader.Rules() {
		require.NoError(t, err)
		price = rule.Candidates[0].Price
	}
	require.NoError(t, reader.Close())
	require.NoError(t, closer.Close())
	return price
}

// sameOnShelf checks that the shelf has the very bytes that are stored.
func (p *press) sameOnShelf(t *testing.T, r operators.Release) {
	t.Helper()
	content, err := p.store.OpenArtifact(t.Context(), r.Digest)
	require.NoError(t, err)
	stored, err := io.ReadAll(content)
	require.NoError(t, err)
	require.NoError(t, content.Close())
	require.Len(t, stored, int(r.StoredSize))
	require.True(t, bytes.Equal(stored, p.shelf.get(r.Digest)))
}

// contextOf gives a context of the test that can be ended before it.
func contextOf(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	return ctx, stop
}
