package releases

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Names of files. What is being written has a name of its own until it is complete.
const (
	newestFile     = "newest.manifest"
	servingFile    = "serving.manifest"
	activationFile = "serving.activation"
	operatorsFile  = "operators"
	artifactEnds   = ".artifact"
	partEnds       = ".part"
)

const (
	folderMode = 0o700
	// maxSmall bounds what is read of a file that is no artifact.
	maxSmall = 64 << 20
)

var errDamaged = errors.New("the file is damaged")

// Folder keeps the last known good on disk. A file is either there completely, also after a crash, or not at all.
type Folder struct{ path string }

// OpenFolder makes the folder when it is missing, and clears away what was left half-written. The error says what to do.
func OpenFolder(path string) (*Folder, error) {
	f := &Folder{path: path}
	if err := os.MkdirAll(path, folderMode); err != nil {
		return nil, f.unusable(err)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, f.unusable(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), partEnds) {
			_ = os.Remove(filepath.Join(path, e.Name())) // it only takes room
		}
	}
	// What cannot be written now could not be kept later.
	trial, err := f.create("trial")
	if err != nil {
		return nil, f.unusable(err)
	}
	_, err = trial.Write([]byte("trial"))
	if err := errors.Join(err, trial.keep(), os.Remove(f.at("trial"))); err != nil {
		return nil, f.unusable(err)
	}
	return f, nil
}

func (f *Folder) unusable(err error) error {
	return fmt.Errorf("the folder of releases %s cannot be written: give this process a folder of its own that it may write to: %w", f.path, err)
}

func (f *Folder) at(name string) string { return filepath.Join(f.path, name) }

// artifact opens a kept artifact; fs.ErrNotExist when there is none.
func (f *Folder) artifact(digest string) (*os.File, error) {
	return os.Open(f.at(digest + artifactEnds))
}

// newArtifact starts an artifact that is not there before it is kept.
func (f *Folder) newArtifact(digest string) (*part, error) { return f.create(digest + artifactEnds) }

// drop forgets an artifact.
func (f *Folder) drop(digest string) error { return os.Remove(f.at(digest + artifactEnds)) }

// artifacts gives the digests of what is kept, the newest first.
func (f *Folder) artifacts() ([]string, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return nil, err
	}
	var digests []string
	written := map[string]time.Time{}
	for _, e := range entries {
		digest, ok := strings.CutSuffix(e.Name(), artifactEnds)
		info, err := e.Info()
		if ok && err == nil {
			digests = append(digests, digest)
			written[digest] = info.ModTime()
		}
	}
	slices.SortFunc(digests, func(a, b string) int { return written[b].Compare(written[a]) })
	return digests, nil
}

// retain forgets all artifacts but those.
func (f *Folder) retain(digests map[string]bool) error {
	kept, err := f.artifacts()
	errs := []error{err}
	for _, digest := range kept {
		if !digests[digest] {
			errs = append(errs, f.drop(digest))
		}
	}
	return errors.Join(errs...)
}

// read gives a small file; nil when there is none.
func (f *Folder) read(name string) ([]byte, error) {
	file, err := os.Open(f.at(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	return io.ReadAll(io.LimitReader(file, maxSmall))
}

// write replaces a small file.
func (f *Folder) write(name string, data []byte) error {
	p, err := f.create(name)
	if err != nil {
		return err
	}
	if _, err := p.Write(data); err != nil {
		p.discard()
		return err
	}
	return p.keep()
}

// readSealed is read of a file that writeSealed wrote.
func (f *Folder) readSealed(name string) ([]byte, error) {
	data, err := f.read(name)
	if err != nil || data == nil {
		return nil, err
	}
	if len(data) < 2*sha256.Size || seal(data[2*sha256.Size:]) != string(data[:2*sha256.Size]) {
		return nil, errDamaged
	}
	return data[2*sha256.Size:], nil
}

// writeSealed is write with a checksum, for what has no other.
func (f *Folder) writeSealed(name string, data []byte) error {
	return f.write(name, append([]byte(seal(data)), data...))
}

func seal(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// part is a file that is being written.
type part struct {
	*os.File
	name string
}

func (f *Folder) create(name string) (*part, error) {
	file, err := os.CreateTemp(f.path, "*"+partEnds)
	if err != nil {
		return nil, err
	}
	return &part{file, f.at(name)}, nil
}

// keep gives the file its name once it is on disk.
func (p *part) keep() error {
	if err := p.Sync(); err != nil {
		p.discard()
		return err
	}
	if err := p.Close(); err != nil {
		p.discard()
		return err
	}
	if err := os.Rename(p.Name(), p.name); err != nil {
		p.discard()
		return err
	}
	return syncFolder(filepath.Dir(p.name))
}

// discard gives up what was written.
func (p *part) discard() {
	_ = p.Close()
	_ = os.Remove(p.Name())
}

// syncFolder makes a new name last.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
