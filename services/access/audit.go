package access

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// AuditRow is one change or one security event. It holds no secrets, and once written it never changes.
type AuditRow struct {
	ID uuid.UUID
	// At is exact to the microsecond, which is what the database keeps.
	At                                         time.Time
	Actor, RequestID, Action, Entity, EntityID string
	// Before and After are JSON; nil where there is none.
	Before, After *string
	// Sequence is its place in the chain, from 1; 0 while it waits for its seal. Hash is zero as long.
	Sequence int64
	Hash     AuditHash
}

// AuditHash is SHA-256.
type AuditHash [sha256.Size]byte

// String is the hash in hexadecimal.
func (h AuditHash) String() string { return hex.EncodeToString(h[:]) }

// chainVersion is part of every hash. Another way to hash needs another version.
const chainVersion = "trunkline audit chain 1"

// Seal is the hash of the row at its place in the chain, behind the hash before it; that of the first row is zero. All
// columns count, each with its length, so that no two rows read the same.
func (r *AuditRow) Seal(sequence int64, before AuditHash) AuditHash {
	h := sha256.New()
	text := func(s string) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(s)))
		h.Write(length[:])
		h.Write([]byte(s))
	}
	number := func(n int64) {
		var raw [8]byte
		binary.BigEndian.PutUint64(raw[:], uint64(n))
		h.Write(raw[:])
	}
	optional := func(s *string) {
		if s == nil {
			number(0)
			return
		}
		number(1)
		text(*s)
	}
	text(chainVersion)
	h.Write(before[:])
	number(sequence)
	h.Write(r.ID[:])
	number(r.At.UnixMicro())
	for _, s := range []string{r.Actor, r.RequestID, r.Action, r.Entity, r.EntityID} {
		text(s)
	}
	optional(r.Before)
	optional(r.After)
	return AuditHash(h.Sum(nil))
}

// Why a chain is broken.
const (
	// DefectRowChanged: the row is not as it was when it was sealed, or its hash is not.
	DefectRowChanged = "ROW_CHANGED"
	// DefectRowMissing: the chain names a row that is gone.
	DefectRowMissing = "ROW_MISSING"
	// DefectLinkMissing: a place in the chain is gone.
	DefectLinkMissing = "LINK_MISSING"
	// DefectSealOverdue: a row has waited too long for its seal. It was put in by hand, or its link was taken out, or
	// nobody seals.
	DefectSealOverdue = "SEAL_OVERDUE"
	// DefectHeadMissing: a head that was noted before is not in the chain any more: its end was cut off.
	DefectHeadMissing = "HEAD_MISSING"
)

// AuditDefect is where a chain breaks.
type AuditDefect struct {
	Sequence int64
	ID       uuid.UUID
	Reason   string
	Message  string
}

// AuditLink is a place of the chain with the row it names. Row is nil when there is none.
type AuditLink struct {
	Sequence int64
	ID       uuid.UUID
	Hash     AuditHash
	Row      *AuditRow
}

// AuditVerifier recomputes a chain link by link.
type AuditVerifier struct {
	verified int64
	head     AuditHash
}

// Verified is how many links are right, and Head the hash of the last of them.
func (v *AuditVerifier) Verified() int64 { return v.verified }

// Head is the hash of the last link that is right.
func (v *AuditVerifier) Head() AuditHash { return v.head }

// Check takes the next link; nil is a right one.
func (v *AuditVerifier) Check(l AuditLink) *AuditDefect {
	next := v.verified + 1
	broken := func(reason, format string, args ...any) *AuditDefect {
		return &AuditDefect{Sequence: next, ID: l.ID, Reason: reason, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case l.Sequence != next:
		d := broken(DefectLinkMissing, "Place %d of the chain is gone; the next one is %d.", next, l.Sequence)
		d.ID = uuid.Nil
		return d
	case l.Row == nil:
		return broken(DefectRowMissing, "The row at place %d of the chain is gone from the audit log.", next)
	case l.Row.Seal(next, v.head) != l.Hash:
		return broken(DefectRowChanged, "The row at place %d of the chain, or its seal, is not as it was written.", next)
	}
	v.verified, v.head = next, l.Hash
	return nil
}

// AuditVerdict is the outcome of a verification.
type AuditVerdict struct {
	// Verified counts the links that are right, up to the first defect.
	Verified int64
	// Unsealed counts the rows that wait for their seal.
	Unsealed int64
	// Head is the hash of the last link that is right.
	Head AuditHash
	// Defect is the first one; nil when there is none.
	Defect *AuditDefect
}

// SealOverdue is how long a row may wait for its seal. A large import writes its row long before it commits.
const SealOverdue = 10 * time.Minute

// AuditFilter chooses audit rows. Zero fields choose all.
type AuditFilter struct {
	Actor string
	// Action is a whole action, or the beginning of several when it ends in a dot.
	Action           string
	Entity, EntityID string
	// From is the first moment, To the first one after.
	From, To time.Time
	// AfterTime and AfterID are where the page before ended.
	AfterTime time.Time
	AfterID   uuid.UUID
	// Limit is the length of the page, 1 to 1000.
	Limit int
}
