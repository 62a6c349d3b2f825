package release

import (
	"time"

	"trunkline/services/platform/jetstream"
)

// Where releases are found in JetStream.
const (
	// Bucket is the key-value bucket of signed manifests. Keys are environments.
	Bucket = "RELEASE_MANIFESTS"
	// Store is the object store of artifacts. Names are digests.
	Store = "RELEASE_ARTIFACTS"
	// Stream holds the last word of each engine, for 24 hours.
	Stream = "RELEASES"

	engineSubjects = "release.engine."
	wordsAge       = 24 * time.Hour
	// Bounds of the stream of words, so that made-up engines do not fill a disk.
	maxWords     = 10_000
	maxWordBytes = 16 << 10
	maxWordsSize = 64 << 20
)

// EngineSubject is where an engine says what it serves.
func EngineSubject(id string) string { return engineSubjects + id }

// Streams is what both services need to exist; whoever starts first creates it.
func Streams() []jetstream.StreamSpec {
	return []jetstream.StreamSpec{{
		Name: Stream, Description: "What engines serve: the last word of each.",
		Subjects: []string{engineSubjects + "*"}, MaxAge: wordsAge, MaxPerSubject: 1,
		MaxMessages: maxWords, MaxBytes: maxWordsSize, MaxMessageBytes: maxWordBytes,
	}}
}
