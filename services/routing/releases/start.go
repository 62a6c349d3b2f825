package releases

import (
	"context"

	"trunkline/services/platform/jetstream"
	"trunkline/services/platform/release"
)

// Start hands every manifest that the bus holds or gets to the follower, until ctx ends. It returns at once.
func (f *Follower) Start(ctx context.Context, conn *jetstream.Conn) (*jetstream.Subscription, error) {
	conn.OnConnect(f.Reconnected)
	return conn.KeyFollow(ctx, release.Bucket, f.settings.Environment, func(_ context.Context, value []byte, _ uint64) { f.Offer(value) })
}
