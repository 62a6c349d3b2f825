package bus

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"trunkline/services/platform/jetstream"
)

// Refresher brings what the engine serves up to date; see routing.Refresher.
type Refresher interface {
	// Changed tells of a version; 0 means that any may have come.
	Changed(version int64)
	// Await waits until a version is in force; false when ctx ends before.
	Await(ctx context.Context, version int64) bool
	// Failures is how many refreshes failed in a row.
	Failures() int64
}

// PollEvery is how often an engine looks for changes while the bus is out of reach.
const PollEvery = time.Second

const (
	// awaitVersion bounds how long one delivery waits for its version.
	awaitVersion = 5 * time.Second
	// hopeless is the delivery at which an event is given up that tells of a version which a store that can
	// be read does not hold.
	hopeless = 20
)

var errNotInForce = errors.New("the version is not in force yet")

// Config makes the engine follow changes of the configuration.
type Config struct {
	conn      *jetstream.Conn
	refresher Refresher
	log       *slog.Logger
}

// NewConfig gives the feed of a refresher.
func NewConfig(conn *jetstream.Conn, refresher Refresher, log *slog.Logger) *Config {
	return &Config{conn: conn, refresher: refresher, log: log}
}

// Start follows until ctx ends. It returns at once.
func (c *Config) Start(ctx context.Context) ([]*jetstream.Subscription, error) {
	// Events may have passed while there was no connection.
	c.conn.OnConnect(func() { c.refresher.Changed(0) })
	follow, err := c.conn.Follow(ctx, jetstream.FollowSpec{Stream: ConfigStream, Policy: jetstream.New}, c.apply)
	if err != nil {
		return nil, err
	}
	// What was committed after the rules were read and before the follower was there would be missed.
	go func() {
		select {
		case <-follow.Synced():
			c.refresher.Changed(0)
		case <-ctx.Done():
		}
	}()
	durable, err := c.conn.Durable(ctx, jetstream.DurableSpec{Stream: ConfigStream, Name: configDurable, Policy: jetstream.New}, c.confirm)
	if err != nil {
		follow.Stop()
		return nil, err
	}
	return []*jetstream.Subscription{follow, durable}, nil
}

func (c *Config) apply(_ context.Context, m jetstream.Message) {
	if version, err := decodeConfig(m.Data); err == nil {
		c.refresher.Changed(version)
	}
}

// confirm acknowledges an event when its version is in force here.
func (c *Config) confirm(ctx context.Context, m jetstream.Message) error {
	version, err := decodeConfig(m.Data)
	if err != nil {
		return jetstream.Poison("not a configuration event", err)
	}
	c.refresher.Changed(version)
	ctx, cancel := context.WithTimeout(ctx, awaitVersion)
	defer cancel()
	switch {
	case c.refresher.Await(ctx, version):
		return nil
	case m.Deliveries >= hopeless && c.refresher.Failures() == 0:
		return jetstream.Poison("the store does not hold this version", errNotInForce)
	}
	return errNotInForce
}

// Poll makes the engine look for changes every PollEvery while the bus is out of reach, until ctx ends: nobody tells of
// them then. After a failure the refresher's own pauses are kept.
func (c *Config) Poll(ctx context.Context) {
	ticker := time.NewTicker(PollEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if c.refresher.Failures() == 0 && !c.reached(ctx) {
			c.refresher.Changed(0)
		}
	}
}

// reached tells whether the bus answers. It also finds a connection that hangs.
func (c *Config) reached(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, PollEvery)
	defer cancel()
	return c.conn.Check(ctx) == nil
}
