package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
)

// Retention says when a stream drops a message.
type Retention uint8

const (
	// Limits keeps messages until a limit is reached.
	Limits Retention = iota
	// WorkQueue drops a message once it is acknowledged; each subject may have one
	// durable only.
	WorkQueue
)

// Storage says where a stream keeps its messages.
type Storage uint8

const (
	// File survives a restart of the server.
	File Storage = iota
	// Memory does not.
	Memory
)

// StreamSpec is what a stream should look like. Name and Subjects are required.
type StreamSpec struct {
	Name        string
	Description string
	// Subjects may end in wildcards, such as "a.*" or "a.>".
	Subjects  []string
	Retention Retention
	Storage   Storage
	// MaxAge drops older messages; 0 keeps them for ever.
	MaxAge time.Duration
	// MaxPerSubject drops the oldest messages of a subject beyond this number; 0
	// means no limit, 1 keeps the last message of each subject.
	MaxPerSubject int64
	// MaxMessages and MaxBytes drop the oldest messages beyond a number and a size of all; MaxMessageBytes refuses
	// larger ones. 0 means no limit for a new stream and leaves that of an existing one as it is.
	MaxMessages, MaxBytes int64
	MaxMessageBytes       int32
	// Duplicates is how long message ids are remembered; 0 means two minutes.
	Duplicates time.Duration
	// Replicas is the number of servers that hold the stream, 1 to 5; 0 means 1 for a new
	// stream and leaves an existing one as it is.
	Replicas int

	shape shape
}

// shape is what a stream is used as.
type shape uint8

const (
	plain shape = iota
	bucket
	objects
)

const defaultDuplicates = 2 * time.Minute

func (s StreamSpec) config() natsjs.StreamConfig {
	cfg := natsjs.StreamConfig{
		Name: s.Name, Description: s.Description, Subjects: s.Subjects,
		Retention: natsjs.LimitsPolicy, Storage: natsjs.FileStorage,
		MaxAge: s.MaxAge, MaxMsgsPerSubject: pick(s.MaxPerSubject > 0, s.MaxPerSubject, -1),
		MaxMsgs: pick(s.MaxMessages > 0, s.MaxMessages, -1), MaxBytes: pick(s.MaxBytes > 0, s.MaxBytes, -1),
		MaxMsgSize: pick(s.MaxMessageBytes > 0, s.MaxMessageBytes, -1), MaxConsumers: -1,
		Duplicates: pick(s.Duplicates > 0, s.Duplicates, defaultDuplicates),
		Replicas:   max(s.Replicas, 1),
	}
	if s.Retention == WorkQueue {
		cfg.Retention = natsjs.WorkQueuePolicy
	}
	if s.Storage == Memory {
		cfg.Storage = natsjs.MemoryStorage
	}
	if s.shape != plain { // as the client library makes them
		cfg.Discard, cfg.AllowRollup, cfg.AllowDirect = natsjs.DiscardNew, true, true
		cfg.DenyDelete = s.shape == bucket
	}
	// The server refuses to remember ids for longer than messages.
	if s.MaxAge > 0 {
		cfg.Duplicates = min(cfg.Duplicates, s.MaxAge)
	}
	return cfg
}

func pick[T any](yes bool, a, b T) T {
	if yes {
		return a
	}
	return b
}

// EnsureStreams creates the streams that are missing and updates those that exist
// where no stored message and no subject is lost by it: subjects may be added,
// limits raised, those of the whole stream lowered to what it holds, the limit of
// one message, the window for duplicates and the number of replicas changed. Any
// other difference is ErrStreamMismatch, whose cause names the field.
//
// The specs are remembered: on every connect, and when a subscription finds its
// stream missing, the streams are ensured again. So a caller may go on after
// ErrUnavailable.
func (c *Conn) EnsureStreams(ctx context.Context, specs []StreamSpec) error {
	for _, s := range specs {
		if s.Name == "" || len(s.Subjects) == 0 {
			return fmt.Errorf("stream %q needs a name and subjects", s.Name)
		}
	}
	c.mu.Lock()
	for _, s := range specs {
		c.specs[s.Name] = s
	}
	c.mu.Unlock()
	if err := c.connection(); err != nil {
		return err
	}
	var errs []error
	for _, s := range specs {
		errs = append(errs, c.ensureStream(ctx, s))
	}
	return errors.Join(errs...)
}

func (c *Conn) ensureStream(ctx context.Context, spec StreamSpec) error {
	ctx, cancel := context.WithTimeout(ctx, 2*apiTimeout)
	defer cancel()
	want := spec.config()
	stream, err := c.js.Stream(ctx, spec.Name)
	if errors.Is(err, natsjs.ErrStreamNotFound) {
		if stream, err = c.js.CreateStream(ctx, want); err == nil {
			c.log.Info("created a stream", "stream", spec.Name)
		}
		if errors.Is(err, natsjs.ErrStreamNameAlreadyInUse) { // another process was faster
			stream, err = c.js.Stream(ctx, spec.Name)
		}
	}
	if err != nil {
		return ErrUnavailable.Wrap(fmt.Errorf("stream %s: %w", spec.Name, err))
	}
	next, changed, err := merge(stream.CachedInfo(), want, spec.Replicas)
	if err != nil {
		return ErrStreamMismatch.Wrap(err).With("stream", spec.Name)
	}
	if !changed {
		return nil
	}
	if _, err := c.js.UpdateStream(ctx, next); err != nil {
		return ErrUnavailable.Wrap(fmt.Errorf("update stream %s: %w", spec.Name, err))
	}
	c.log.Info("updated a stream", "stream", spec.Name)
	return nil
}

// merge returns the stream's configuration changed to what want asks for, or an error that names the
// first field that cannot be changed without loss.
func merge(info *natsjs.StreamInfo, want natsjs.StreamConfig, wantReplicas int) (next natsjs.StreamConfig, changed bool, err error) {
	have := info.Config
	refuse := func(field string, is, should any, why string) (natsjs.StreamConfig, bool, error) {
		return have, false, fmt.Errorf("stream %s: %s is %v and should be %v: %s; change it by hand, or delete the stream if its messages may be lost",
			have.Name, field, is, should, why)
	}
	next = have
	switch {
	case have.Retention != want.Retention:
		return refuse("retention", have.Retention, want.Retention, "it cannot be changed")
	case have.Storage != want.Storage:
		return refuse("storage", have.Storage, want.Storage, "it cannot be changed")
	case lower(int64(want.MaxAge), int64(have.MaxAge)):
		return refuse("max age", have.MaxAge, want.MaxAge, "a shorter age deletes messages")
	case lower(want.MaxMsgsPerSubject, have.MaxMsgsPerSubject):
		return refuse("max per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject, "a lower limit deletes messages")
	case want.MaxMsgs > 0 && info.State.Msgs > uint64(want.MaxMsgs):
		return refuse("max messages", have.MaxMsgs, want.MaxMsgs, "it holds more")
	case want.MaxBytes > 0 && info.State.Bytes > uint64(want.MaxBytes):
		return refuse("max bytes", have.MaxBytes, want.MaxBytes, "it holds more")
	}
	for _, s := range have.Subjects {
		if !slices.Contains(want.Subjects, s) {
			return refuse("subjects", strings.Join(have.Subjects, ","), strings.Join(want.Subjects, ","),
				"without "+s+" its messages would no longer be stored")
		}
	}
	if len(have.Subjects) != len(want.Subjects) {
		next.Subjects, changed = want.Subjects, true
	}
	changed = set(&next.MaxAge, want.MaxAge) || changed
	changed = set(&next.MaxMsgsPerSubject, want.MaxMsgsPerSubject) || changed
	if want.MaxMsgs > 0 {
		changed = set(&next.MaxMsgs, want.MaxMsgs) || changed
	}
	if want.MaxBytes > 0 {
		changed = set(&next.MaxBytes, want.MaxBytes) || changed
	}
	if want.MaxMsgSize > 0 {
		changed = set(&next.MaxMsgSize, want.MaxMsgSize) || changed
	}
	changed = set(&next.Duplicates, want.Duplicates) || changed
	if wantReplicas > 0 {
		changed = set(&next.Replicas, wantReplicas) || changed
	}
	if want.Description != "" {
		changed = set(&next.Description, want.Description) || changed
	}
	return next, changed, nil
}

func set[T comparable](dst *T, v T) bool {
	if *dst == v {
		return false
	}
	*dst = v
	return true
}

// lower compares two limits for which 0 and below mean no limit.
func lower(a, b int64) bool {
	return a > 0 && (b <= 0 || a < b)
}

// restoreStreams ensures every known stream once per request for it.
func (c *Conn) restoreStreams() error {
	c.mu.Lock()
	due := c.restore
	c.restore = false
	specs := slices.Collect(maps.Values(c.specs))
	c.mu.Unlock()
	if !due || !c.up.Load() {
		return nil // the next connect asks again
	}
	var failed error
	for _, s := range specs {
		switch err := c.ensureStream(c.ctx, s); {
		case errors.Is(err, ErrStreamMismatch):
			// Trying again would not help; EnsureStreams told its caller.
			c.log.Error("a stream differs from what is needed", "stream", s.Name, "error", err)
		case err != nil:
			failed = err
		}
	}
	if failed != nil {
		c.mu.Lock()
		c.restore = true
		c.mu.Unlock()
	}
	return failed
}

// streamMissing asks the keeper to create the known streams again.
func (c *Conn) streamMissing() {
	c.mu.Lock()
	c.restore = true
	c.mu.Unlock()
	c.nudge()
}
