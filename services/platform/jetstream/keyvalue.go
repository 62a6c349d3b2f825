package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"

	natsjs "github.com/nats-io/nats.go/jetstream"

	"trunkline/services/platform/fault"
)

// ErrNotFound means that there is no such key or object. After a server lost its data that may be so for a key that
// was written.
var ErrNotFound = fault.New(fault.NotFound, "MESSAGING_NOT_FOUND", "There is no such entry.")

// The client library's names for buckets.
const (
	bucketStreams  = "KV_"
	bucketSubjects = "$KV."
	operation      = "KV-Operation" // only deletions have it
)

// EnsureBucket creates a key-value bucket that keeps the last value of each key on disk. Like a stream it is remembered
// and created again, empty, when it is gone. replicas is as in StreamSpec.
func (c *Conn) EnsureBucket(ctx context.Context, name string, replicas int) error {
	if err := validBucket(name); err != nil {
		return err
	}
	return c.EnsureStreams(ctx, []StreamSpec{{
		Name: bucketStreams + name, Subjects: []string{bucketSubjects + name + ".>"}, MaxPerSubject: 1, Replicas: replicas, shape: bucket,
	}})
}

// KeyGet reads the value of a key and its revision, from 1. Errors: ErrNotFound, ErrUnavailable, and the fault of a
// context that ended. With several servers the value may be older than the newest by moments.
func (c *Conn) KeyGet(ctx context.Context, bucket, key string) (value []byte, revision uint64, err error) {
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	kv, err := c.bucket(limited, bucket, key)
	if err != nil {
		return nil, 0, c.storeFault(ctx, err)
	}
	entry, err := kv.Get(limited, key)
	if err != nil {
		return nil, 0, c.storeFault(ctx, fmt.Errorf("read %s of %s: %w", key, bucket, err))
	}
	return entry.Value(), entry.Revision(), nil
}

// KeyPut stores a value if the key still has the revision, and gives the new one. Revision 0 means that the key must
// not exist. ErrWrongSequence means that another writer was faster, and nothing was stored: read again. After
// ErrUnavailable it may be stored, or be stored later. Other errors: ErrTooLarge, and the fault of a context that ended.
func (c *Conn) KeyPut(ctx context.Context, bucket, key string, value []byte, revision uint64) (uint64, error) {
	if len(value) > c.cfg.MaxMessageBytes {
		return 0, ErrTooLarge.Wrap(fmt.Errorf("%d bytes for %s of %s, at most %d", len(value), key, bucket, c.cfg.MaxMessageBytes))
	}
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	kv, err := c.bucket(limited, bucket, key)
	if err != nil {
		return 0, c.storeFault(ctx, err)
	}
	var next uint64
	if revision == 0 {
		next, err = kv.Create(limited, key, value)
	} else {
		next, err = kv.Update(limited, key, value, revision)
	}
	if err != nil {
		return 0, c.storeFault(ctx, fmt.Errorf("write %s of %s: %w", key, bucket, err))
	}
	return next, nil
}

// KeyFollow gives the value of a key, if there is one, and then every change, as Follow does. After an interruption it
// gives the value again, and of several changes perhaps only the last. A deletion gives nil. The loss of the bucket is
// not told; a value written after it is, with a revision that starts again.
func (c *Conn) KeyFollow(ctx context.Context, bucket, key string, handle func(ctx context.Context, value []byte, revision uint64)) (*Subscription, error) {
	if err := errors.Join(validBucket(bucket), validKey(key)); err != nil {
		return nil, err
	}
	spec := FollowSpec{
		Stream: bucketStreams + bucket, FilterSubjects: []string{bucketSubjects + bucket + "." + key}, Policy: LastPerSubject,
	}
	return c.Follow(ctx, spec, func(ctx context.Context, m Message) {
		if m.Header.Get(operation) != "" {
			m.Data = nil
		}
		handle(ctx, m.Data, m.Sequence)
	})
}

func (c *Conn) bucket(ctx context.Context, name, key string) (natsjs.KeyValue, error) {
	if err := errors.Join(validBucket(name), validKey(key)); err != nil {
		return nil, err
	}
	if err := c.connection(); err != nil {
		return nil, err
	}
	kv, err := c.js.KeyValue(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	return kv, nil
}

// storeFault turns an error of a bucket or an object store into a fault. A missing one is asked for again.
func (c *Conn) storeFault(ctx context.Context, err error) error {
	if errors.Is(err, natsjs.ErrBucketNotFound) || errors.Is(err, natsjs.ErrStreamNotFound) || errors.Is(err, natsjs.ErrNoStreamResponse) {
		c.streamMissing()
	}
	var known *fault.Fault
	switch {
	case errors.As(err, &known):
		return known
	case ctx.Err() != nil:
		return fault.From(ctx.Err())
	case errors.Is(err, natsjs.ErrKeyNotFound), errors.Is(err, natsjs.ErrObjectNotFound):
		return ErrNotFound.Wrap(err)
	case errors.Is(err, natsjs.ErrKeyExists), wrongSequence(err):
		return ErrWrongSequence.Wrap(err)
	}
	return ErrUnavailable.Wrap(err)
}

// validBucket applies the client library's rules for names of buckets and object stores.
func validBucket(name string) error {
	for _, r := range name {
		if (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-' {
			return invalidName("bucket", name)
		}
	}
	if name == "" {
		return invalidName("bucket", name)
	}
	return nil
}

// validKey allows one token, so a key never means several.
func validKey(key string) error {
	if validBucket(strings.ReplaceAll(key, "=", "_")) != nil {
		return invalidName("key", key)
	}
	return nil
}

func invalidName(what, name string) error {
	return fault.New(fault.InvalidArgument, "NAME", "The name %[2]q of a %[1]s must be made of letters, digits, _ and -.", what, name)
}
