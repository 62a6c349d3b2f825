package jetstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	natsjs "github.com/nats-io/nats.go/jetstream"
)

const (
	// The client library's names for object stores.
	objectStreams  = "OBJ_"
	objectSubjects = "$O."

	// objectPutLimit bounds one upload, objectStall the wait for the next piece of a download.
	objectPutLimit = 2 * time.Minute
	objectStall    = 5 * time.Second
	// objectPrefetch is how many pieces of 128 KiB may be on their way: memory of a slow reader is bounded by it.
	objectPrefetch = 32
)

// EnsureObjects creates an object store on disk. Like a stream it is remembered and created again, empty, when it is
// gone. replicas is as in StreamSpec.
func (c *Conn) EnsureObjects(ctx context.Context, store string, replicas int) error {
	if err := validBucket(store); err != nil {
		return err
	}
	return c.EnsureStreams(ctx, []StreamSpec{{
		Name:     objectStreams + store,
		Subjects: []string{objectSubjects + store + ".C.>", objectSubjects + store + ".M.>"}, Replicas: replicas, shape: objects,
	}})
}

// ObjectPut stores what it reads until the end, in place of what had the name before. It takes at most two minutes. An
// error of from is returned as it is. After ErrUnavailable the object may be there, or be broken: put it again.
func (c *Conn) ObjectPut(ctx context.Context, store, name string, from io.Reader) error {
	limited, cancel := context.WithTimeout(ctx, objectPutLimit)
	defer cancel()
	// Acknowledgements that were on their way when the connection broke never come.
	defer context.AfterFunc(c.currentEra(), cancel)()
	objects, err := c.objects(limited, store)
	if err != nil {
		return c.storeFault(ctx, err)
	}
	read := &remembering{from: from}
	if _, err := objects.Put(limited, natsjs.ObjectMeta{Name: name}, read); err != nil {
		if read.err != nil {
			return read.err
		}
		return c.storeFault(ctx, fmt.Errorf("write %s of %s: %w", name, store, err))
	}
	return nil
}

// remembering keeps the error of a reader.
type remembering struct {
	from io.Reader
	err  error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// ObjectSum reads an object whole and gives the SHA-256 of its bytes. It is nil for one that is not there or cannot be read
// as it was stored: a piece is missing or was replaced. It takes at most two minutes.
func (c *Conn) ObjectSum(ctx context.Context, store, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, objectPutLimit)
	defer cancel()
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	// To wait for a piece that is not there would look like a slow server.
	whole, err := c.hasPieces(limited, store, name)
	if err == nil && whole {
		sum := sha256.New()
		if err = c.copyObject(ctx, sum, store, name); err == nil {
			return sum.Sum(nil), nil
		}
	}
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, ErrDamaged) {
		return nil, nil
	}
	return nil, err
}

func (c *Conn) copyObject(ctx context.Context, to io.Writer, store, name string) error {
	from, err := c.ObjectGet(ctx, store, name)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, from.Close())
}

// hasPieces reports whether an object has as many pieces as it was stored with.
func (c *Conn) hasPieces(ctx context.Context, store, name string) (bool, error) {
	info, err := c.lookUp(ctx, store, name)
	if err != nil {
		return false, c.storeFault(ctx, err)
	}
	stream, err := c.js.Stream(ctx, objectStreams+store)
	if err != nil {
		return false, c.storeFault(ctx, err)
	}
	chunks := chunkSubject(info)
	state, err := stream.Info(ctx, natsjs.WithSubjectFilter(chunks))
	if err != nil {
		return false, c.storeFault(ctx, fmt.Errorf("pieces of %s of %s: %w", name, store, err))
	}
	return state.State.Subjects[chunks] == uint64(info.Chunks), nil
}

// ObjectDelete removes an object. One that is not there is no error.
func (c *Conn) ObjectDelete(ctx context.Context, store, name string) error {
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	objects, err := c.objects(limited, store)
	if err != nil {
		return c.storeFault(ctx, err)
	}
	err = objects.Delete(limited, name)
	if err == nil || errors.Is(err, natsjs.ErrObjectNotFound) {
		return nil
	}
	return c.storeFault(ctx, fmt.Errorf("delete %s of %s: %w", name, store, err))
}

// ObjectNames lists the objects of a store in no order.
func (c *Conn) ObjectNames(ctx context.Context, store string) ([]string, error) {
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	objects, err := c.objects(limited, store)
	if err != nil {
		return nil, c.storeFault(ctx, err)
	}
	infos, err := objects.List(limited)
	if errors.Is(err, natsjs.ErrNoObjectsFound) {
		return nil, nil
	}
	if err != nil {
		return nil, c.storeFault(ctx, fmt.Errorf("list %s: %w", store, err))
	}
	names := make([]string, 0, len(infos))
	for _, info := range infos {
		names = append(names, info.Name)
	}
	return names, nil
}

func (c *Conn) objects(ctx context.Context, store string) (natsjs.ObjectStore, error) {
	if err := validBucket(store); err != nil {
		return nil, err
	}
	if err := c.connection(); err != nil {
		return nil, err
	}
	objects, err := c.js.ObjectStore(ctx, store)
	if err != nil {
		return nil, fmt.Errorf("object store %s: %w", store, err)
	}
	return objects, nil
}

// lookUp finds an object without its pieces.
func (c *Conn) lookUp(ctx context.Context, store, name string) (*natsjs.ObjectInfo, error) {
	objects, err := c.objects(ctx, store)
	if err != nil {
		return nil, err
	}
	info, err := objects.GetInfo(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("look up %s of %s: %w", name, store, err)
	}
	return info, nil
}

func chunkSubject(info *natsjs.ObjectInfo) string {
	return objectSubjects + info.Bucket + ".C." + info.NUID
}

// ObjectGet reads an object from its start. ErrNotFound comes at once, other errors also while reading: a reader that
// gave all bytes and io.EOF has checked their digest, which is ErrDamaged when they are not what was stored. A piece that does not come within five seconds, a lost connection
// and an object that is replaced meanwhile are ErrUnavailable: open it again. The reader ends with ctx, and must be
// closed. It is not safe for concurrent use.
func (c *Conn) ObjectGet(ctx context.Context, store, name string) (io.ReadCloser, error) {
	era := c.currentEra()
	limited, cancel := context.WithTimeout(ctx, c.cfg.PublishTimeout)
	defer cancel()
	info, err := c.lookUp(limited, store, name)
	if err != nil {
		return nil, c.storeFault(ctx, err)
	}
	o := &object{conn: c, stream: objectStreams + store, info: info, asked: ctx, sum: sha256.New()}
	o.ctx, o.cancel = context.WithCancel(ctx)
	o.unhook = context.AfterFunc(era, o.cancel) // the consumer may be gone after a reconnect
	if info.Chunks > 0 {
		if err := o.open(limited); err != nil {
			_ = o.Close()
			return nil, c.storeFault(ctx, fmt.Errorf("read %s of %s: %w", name, store, err))
		}
	}
	return o, nil
}

// object reads the pieces of an object by a consumer of its own, which asks for more only when there is room.
type object struct {
	conn   *Conn
	stream string
	info   *natsjs.ObjectInfo

	asked  context.Context // the caller's
	ctx    context.Context // ends with asked, with Close and with the next connect
	cancel context.CancelFunc
	unhook func() bool

	consumer string
	messages natsjs.MessagesContext
	rest     []byte
	chunks   uint64
	sum      hash.Hash
	err      error
}

func (o *object) open(ctx context.Context) error {
	consumer, err := o.conn.js.CreateConsumer(ctx, o.stream, natsjs.ConsumerConfig{
		DeliverPolicy:     natsjs.DeliverAllPolicy,
		FilterSubject:     chunkSubject(o.info),
		AckPolicy:         natsjs.AckNonePolicy,
		InactiveThreshold: followInactive,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return err
	}
	o.consumer = consumer.CachedInfo().Name
	o.messages, err = consumer.Messages(natsjs.PullMaxMessages(objectPrefetch), natsjs.PullExpiry(pullExpires), natsjs.PullHeartbeat(heartbeat))
	return err
}

func (o *object) Read(p []byte) (int, error) {
	for len(o.rest) == 0 {
		if o.err == nil {
			o.err = o.next()
		}
		if o.err != nil {
			return 0, o.err
		}
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// next waits for one more piece.
func (o *object) next() error {
	if o.chunks == uint64(o.info.Chunks) {
		want, err := natsjs.DecodeObjectDigest(o.info.Digest)
		if err != nil || !bytes.Equal(o.sum.Sum(nil), want) {
			return ErrDamaged.Wrap(fmt.Errorf("object %s is not what was stored", o.info.Name))
		}
		return io.EOF
	}
	ctx, cancel := context.WithTimeout(o.ctx, objectStall)
	defer cancel()
	msg, err := o.messages.Next(natsjs.NextContext(ctx))
	if err != nil {
		return o.failed(err)
	}
	meta, err := msg.Metadata()
	if err != nil {
		return o.failed(err)
	}
	if o.chunks++; meta.Sequence.Consumer != o.chunks {
		return o.failed(errGap)
	}
	o.rest = msg.Data()
	o.sum.Write(o.rest)
	return nil
}

func (o *object) failed(err error) error {
	return o.conn.storeFault(o.asked, fmt.Errorf("read %s: piece %d: %w", o.info.Name, o.chunks+1, err))
}

// Close may be called again.
func (o *object) Close() error {
	o.unhook()
	o.cancel()
	if o.messages != nil {
		o.messages.Stop()
		o.messages = nil
		if o.conn.up.Load() {
			// A courtesy to the server, which removes idle consumers by itself.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(o.asked), apiTimeout)
			defer cancel()
			_ = o.conn.js.DeleteConsumer(ctx, o.stream, o.consumer)
		}
	}
	if o.err == nil {
		o.err = ErrUnavailable.Wrap(errors.New("the object is closed"))
		o.rest = nil
	}
	return nil
}
