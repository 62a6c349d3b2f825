package tlsfiles

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	pollInterval = 5 * time.Second
	useInterval  = time.Second
)

// Files names the PEM files of one side of a connection.
type Files struct {
	// Cert and Key are the certificate chain and its private key.
	Cert, Key string
	// CA holds the certificates that may sign those of the other side; "" for none.
	CA string
}

// Material is what a set of files holds.
type Material struct {
	Certificate tls.Certificate
	// Authorities is nil without Files.CA.
	Authorities *x509.CertPool

	notAfter, authoritiesNotAfter time.Time
}

// Source holds the configuration in force and replaces it when the files change.
// Create it with Open. Its methods are safe for concurrent use.
type Source struct {
	files  Files
	build  func(Material) *tls.Config
	log    *slog.Logger
	expiry *Expiry

	current atomic.Pointer[tls.Config]
	checked atomic.Int64 // unix nanoseconds of the last look at the files

	mu     sync.Mutex
	loaded [sha256.Size]byte // digest of the files in force
	tried  [sha256.Size]byte // digest of the files last tried, good or bad
}

// Open loads the files. Unlike later, a bad file is an error now. build turns
// what they hold into a configuration; it is called once for each set of files.
// expiry may be nil.
func Open(files Files, build func(Material) *tls.Config, log *slog.Logger, expiry *Expiry) (*Source, error) {
	s := &Source{files: files, build: build, log: log, expiry: expiry}
	found, err := s.files.read()
	if err != nil {
		return nil, err
	}
	if err := s.use(found); err != nil {
		return nil, err
	}
	s.checked.Store(time.Now().UnixNano())
	return s, nil
}

// Config returns the configuration in force. It looks at the files if nobody did
// in the last second, so new ones count without waiting for the poll. The same
// pointer means the same files. Do not change the result.
func (s *Source) Config() *tls.Config {
	last := s.checked.Load()
	if now := time.Now().UnixNano(); now-last >= int64(useInterval) && s.checked.CompareAndSwap(last, now) {
		s.check()
	}
	return s.current.Load()
}

// Run looks at the files every 5 s until ctx ends, so that expiry and bad files
// show while nothing connects.
func (s *Source) Run(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.check()
		}
	}
}

// check compares the files with what is in force and replaces it if they differ.
// A bad set of files is logged once, not at every look.
func (s *Source) check() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked.Store(time.Now().UnixNano())
	found, err := s.files.read()
	if err == nil && found.digest == s.loaded {
		s.tried = found.digest
		return
	}
	if found.digest == s.tried {
		return
	}
	s.tried = found.digest
	if err == nil {
		err = s.use(found)
	}
	if err != nil {
		s.log.Error("the new TLS files are not usable, the old ones stay in force", "error", err)
		return
	}
	s.log.Info("TLS files reloaded", "not_after", s.current.Load().Certificates[0].Leaf.NotAfter.UTC())
}

// use builds the configuration and puts it in force.
func (s *Source) use(found contents) error {
	m, err := found.parse(s.files)
	if err != nil {
		return err
	}
	s.expiry.set(m)
	s.loaded = found.digest
	s.current.Store(s.build(m))
	return nil
}
