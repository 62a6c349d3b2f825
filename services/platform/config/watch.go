package config

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"time"
)

// watchInterval is the time between two looks at a file.
const watchInterval = 2 * time.Second

// Watcher tells when a file has another content. Content decides and not times,
// because orchestrators swap folders by symbolic link, which may leave time and
// size the same. Create it with Watch.
type Watcher struct {
	path  string
	known [sha256.Size]byte
}

// Watch begins with the content that the file has now: call it before Load, and
// no change in between is lost.
func Watch(path string) *Watcher { return &Watcher{path: path, known: digest(path)} }

// Run looks every 2 s until ctx ends and calls changed when the content is
// another one, also when the file is gone or cannot be read. A change counts once
// two looks in a row see the same, so that no half-written file is read.
func (w *Watcher) Run(ctx context.Context, changed func()) {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	last := w.known
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := digest(w.path)
		if now == last && now != w.known {
			w.known = now
			changed()
		}
		last = now
	}
}

// digest identifies what a look at the file saw, be it content or a failure.
func digest(path string) [sha256.Size]byte {
	f, err := os.Open(path)
	if err != nil {
		return sha256.Sum256([]byte("not opened: " + pathError(err)))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return sha256.Sum256([]byte("not read: " + pathError(err)))
	}
	return sha256.Sum256(content)
}
