package releases_test

import (
	"testing"

	"github.com/nats-io/nats.go"
	natsjs "github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"trunkline/services/platform/release"
)

// TestADamagedObjectIsRefused: the store finds out before the artifact's reader does, and NATS is not what is wrong.
func TestADamagedObjectIsRefused(t *testing.T) {
	b := newBench(t)
	e := b.start()
	one, two := b.Create(world(1)), b.Create(world(2))
	b.Publish(one, 1)
	e.serves(one, 1, 1)
	b.flipStored(two.Digest)
	b.Publish(two, 2)
	e.word(refused, "ARTIFACT_DIGEST", 2, 1)
	e.troubled("ARTIFACT_DIGEST")
	require.Equal(t, 1, e.counts.of("ARTIFACT_DIGEST"))
	e.still(one, 1, 1)
}

// flipStored flips a bit of what the object store holds, behind its back.
func (b *bench) flipStored(name string) {
	b.t.Helper()
	conn, err := nats.Connect(b.nats.URL())
	require.NoError(b.t, err)
	defer conn.Close()
	js, err := natsjs.New(conn)
	require.NoError(b.t, err)
	ctx := b.t.Context()
	objects, err := js.ObjectStore(ctx, release.Store)
	require.NoError(b.t, err)
	info, err := objects.GetInfo(ctx, name)
	require.NoError(b.t, err)
	stream, err := js.Stream(ctx, "OBJ_"+release.Store)
	require.NoError(b.t, err)
	subject := "$O." + release.Store + ".C." + info.NUID
	piece, err := stream.GetLastMsgForSubject(ctx, subject)
	require.NoError(b.t, err)
	require.NoError(b.t, stream.DeleteMsg(ctx, piece.Sequence))
	piece.Data[len(piece.Data)-1] ^= 0x10
	_, err = js.Publish(ctx, subject, piece.Data)
	require.NoError(b.t, err)
}
