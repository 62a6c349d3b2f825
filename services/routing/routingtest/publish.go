package routingtest

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/platform/config"
	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// Environment is where a Publisher publishes.
const Environment = "test"

// Publisher publishes releases as operator-management does.
type Publisher struct {
	t    testing.TB
	conn *jetstream.Conn
	// PublicKey is what engines trust it by.
	PublicKey string
	signer    *release.Signer
	revision  int64
}

// NewPublisher makes what releases need in NATS, and a key.
func NewPublisher(t testing.TB, conn *jetstream.Conn) *Publisher {
	t.Helper()
	seed, public := release.GenerateKey()
	signer, err := release.NewSigner(config.NewSecret(seed))
	require.NoError(t, err)
	p := &Publisher{t: t, conn: conn, PublicKey: public, signer: signer}
	p.Ensure()
	return p
}

// Ensure makes what releases need in NATS.
func (p *Publisher) Ensure() {
	p.t.Helper()
	require.NoError(p.t, p.conn.EnsureStreams(p.t.Context(), release.Streams()))
	require.NoError(p.t, p.conn.EnsureBucket(p.t.Context(), release.Bucket, 0))
	require.NoError(p.t, p.conn.EnsureObjects(p.t.Context(), release.Store, 0))
}

// Published is a release and its artifact.
type Published struct {
	ID uuid.UUID
	release.Sealed
	Bytes []byte
}

// Compile makes a release that is nowhere yet.
func (p *Publisher) Compile(rs *RuleSet) Published {
	p.t.Helper()
	var out bytes.Buffer
	sealed, err := release.Compile(&out, rs.Content())
	require.NoError(p.t, err)
	return Published{ID: uuid.New(), Sealed: sealed, Bytes: out.Bytes()}
}

// Create makes a release and stores its artifact.
func (p *Publisher) Create(rs *RuleSet) Published {
	p.t.Helper()
	made := p.Compile(rs)
	p.Store(made.Digest, made.Bytes)
	return made
}

// Store puts bytes in place of an artifact.
func (p *Publisher) Store(digest string, content []byte) {
	p.t.Helper()
	require.NoError(p.t, p.conn.ObjectPut(p.t.Context(), release.Store, digest, bytes.NewReader(content)))
}

// Entry names a release in a manifest.
func (r Published) Entry(activation int64, at time.Time) *releasesv1.ManifestEntry {
	return &releasesv1.ManifestEntry{
		ReleaseId: r.ID.String(), Activation: activation, Digest: r.Digest, SizeBytes: r.Size, StoredBytes: r.StoredSize,
		ActivateTime: timestamppb.New(at), CompileTime: timestamppb.New(Now),
	}
}

// Manifest gives the next manifest. Either entry may be nil.
func (p *Publisher) Manifest(current, scheduled *releasesv1.ManifestEntry) *releasesv1.Manifest {
	p.revision++
	return &releasesv1.Manifest{Environment: Environment, Revision: p.revision, Current: current, Scheduled: scheduled}
}

// Sign gives a manifest as the bucket holds it.
func (p *Publisher) Sign(m *releasesv1.Manifest) []byte {
	p.t.Helper()
	signed, err := p.signer.Sign(m)
	require.NoError(p.t, err)
	return signed
}

// Put replaces what the bucket holds.
func (p *Publisher) Put(value []byte) {
	p.t.Helper()
	_, place, err := p.conn.KeyGet(p.t.Context(), release.Bucket, Environment)
	if err != nil {
		require.ErrorIs(p.t, err, jetstream.ErrNotFound)
	}
	_, err = p.conn.KeyPut(p.t.Context(), release.Bucket, Environment, value, place)
	require.NoError(p.t, err)
}

// Publish makes a release current, under the activation, and gives the manifest.
func (p *Publisher) Publish(r Published, activation int64) []byte {
	p.t.Helper()
	signed := p.Sign(p.Manifest(r.Entry(activation, Now), nil))
	p.Put(signed)
	return signed
}

var statusNames = map[routing.Status]string{
	routing.StatusInactive: release.Inactive, routing.StatusActive: release.Active, routing.StatusSuspended: release.Suspended,
}

// Content is the set as it is compiled. Operators get what an artifact cannot do without.
func (rs *RuleSet) Content() *release.Content {
	c := &release.Content{}
	for _, o := range rs.Operators {
		row := release.Operator{
			ID: o.ID, Name: o.Name, Host: o.Host, Port: o.Port, SystemID: o.SystemID, MaxTPS: max(o.TPSLimit, 1),
			Types: release.MessageTypes(o.Types >> 1), Status: statusNames[o.Status], ReceivesOnly: o.ReceivesOnly,
		}
		if row.Name == "" {
			row.Name, row.Host, row.Port = "Operator", "smsc.example.net", 2775
		}
		c.Operators = append(c.Operators, row)
	}
	for currency, nanos := range rs.FX {
		c.FX = append(c.FX, release.FXRate{Currency: currency, Nanos: nanos})
	}
	for _, r := range rs.Rules {
		row := release.Rule{
			ID: r.ID, Account: r.Account, Prefix: r.Prefix, Types: release.MessageTypes(r.Types >> 1), Strategy: routingv1.RoutingStrategy(r.Strategy),
			FallThrough: r.FallThrough, Inactive: r.Inactive, From: r.Window.From, To: r.Window.To,
		}
		if row.Types == 0 {
			row.Types = release.AllTypes
		}
		for _, candidate := range r.Candidates {
			row.Candidates = append(row.Candidates, release.Candidate(candidate))
		}
		c.Rules = append(c.Rules, row)
	}
	for _, r := range rs.Rates {
		c.Rates = append(c.Rates, release.Rate{
			ID: r.ID, Operator: r.Operator, Prefix: r.Prefix, Type: routingv1.MessageType(r.Type), Price: r.Price,
			From: r.Window.From, To: r.Window.To,
		})
	}
	return c
}
