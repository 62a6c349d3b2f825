package accesstest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

const (
	createRelease   = "releases.v1.ReleaseService/CreateRelease"
	approveRelease  = "releases.v1.ReleaseService/ApproveRelease"
	publishRelease  = "releases.v1.ReleaseService/PublishRelease"
	rollbackRelease = "releases.v1.ReleaseService/RollbackRelease"
)

// release makes a draft.
func (w *town) release(t *testing.T, header http.Header) string {
	t.Helper()
	a := w.call(t, header, createRelease, object{})
	require.Equal(t, "ok", a.outcome(), a.told)
	return createdRelease(t, a)
}

// createdRelease is the id in the last message of an answer.
func createdRelease(t *testing.T, a answer) string {
	t.Helper()
	var id string
	for messages := json.NewDecoder(bytes.NewReader(a.body)); messages.More(); {
		var m struct {
			Result struct{ Release struct{ ReleaseID string } }
		}
		require.NoError(t, messages.Decode(&m))
		id = m.Result.Release.ReleaseID
	}
	require.NotEmpty(t, id, "%s", a.body)
	return id
}

// published puts a new release in force, and waits until engines can see it: nothing about it is written after that.
func (w *town) published(t *testing.T) string {
	t.Helper()
	id := w.release(t, w.admin)
	w.must(t, w.admin, publishRelease, object{"releaseId": id})
	require.Eventually(t, func() bool {
		got := w.call(t, w.admin, "releases.v1.ReleaseService/GetRelease", object{"releaseId": id})
		return strings.Contains(string(got.body), `"announced":true`)
	}, eventually, tick)
	return id
}

// releaseRows are the rows about releases in the audit log, oldest first: what was done with which one.
func (d *database) releaseRows(t *testing.T) []string {
	t.Helper()
	found, err := d.conn.Query(t.Context(), `SELECT action || ' ' || entity_id FROM ops_routing.audit_log
		WHERE entity = 'release' OR action LIKE 'release.%' ORDER BY occurred_at, audit_id`)
	require.NoError(t, err)
	rows, err := pgx.CollectRows(found, pgx.RowTo[string])
	require.NoError(t, err)
	return rows
}

// TestEachChangeOfReleasesIsWrittenDownOnce makes changes in turn: what is acknowledged has one row, and what is refused,
// repeated or only checked has none. That a change without its row does not happen is tested with all other changes.
func TestEachChangeOfReleasesIsWrittenDownOnce(t *testing.T) {
	t.Parallel()
	w := newTown(t)
	require.Empty(t, w.releaseRows(t))
	rows := 0
	// step makes a call. It must add the row, or none when that is "".
	step := func(header http.Header, procedure string, body object, outcome, row string) answer {
		t.Helper()
		a := w.call(t, header, procedure, body)
		require.Equal(t, outcome, a.outcome(), "%s %v: %s", procedure, body, a.told)
		all := w.releaseRows(t)
		if row == "" {
			require.Len(t, all, rows, "%s %v", procedure, body)
			return a
		}
		rows++
		require.Len(t, all, rows, "%s %v", procedure, body)
		require.True(t, strings.HasPrefix(all[rows-1], row), "%s is not %s", all[rows-1], row)
		return a
	}

	step(w.viewer, createRelease, object{}, "permission_denied ROLE_TOO_LOW", "")
	step(w.ofA, createRelease, object{}, "permission_denied ACCOUNT_NOT_ALLOWED", "")
	step(w.operator, createRelease, object{"validateOnly": true}, "ok", "")
	first := createdRelease(t, step(w.operator, createRelease, object{"requestId": "r-1"}, "ok", "release.create "))
	require.Equal(t, []string{"release.create " + first}, w.releaseRows(t))
	require.Equal(t, first, createdRelease(t, step(w.operator, createRelease, object{"requestId": "r-1"}, "ok", "")))

	step(w.operator, approveRelease, object{"releaseId": first}, "permission_denied ROLE_TOO_LOW", "")
	step(w.admin, approveRelease, object{"releaseId": first, "etag": "another"}, "aborted ETAG_MISMATCH", "")
	step(w.admin, approveRelease, object{"releaseId": first}, "ok", "release.approve "+first)
	step(w.admin, approveRelease, object{"releaseId": first}, "ok", "")
	second := createdRelease(t, step(w.admin, createRelease, object{}, "ok", "release.create "))
	step(w.admin, approveRelease, object{"releaseId": second}, "failed_precondition SAME_ADMIN", "")

	step(w.operator, publishRelease, object{"releaseId": first}, "permission_denied ROLE_TOO_LOW", "")
	step(w.admin, publishRelease, object{"releaseId": first, "validateOnly": true}, "ok", "")
	step(w.admin, publishRelease, object{"releaseId": first, "expectedReleaseId": second}, "aborted RELEASE_MOVED", "")
	step(w.admin, publishRelease, object{"releaseId": uuid.NewString()}, "not_found NO_SUCH_RELEASE", "")
	step(w.admin, publishRelease, object{"releaseId": first, "requestId": "r-2"}, "ok", "release.publish "+first)
	step(w.admin, publishRelease, object{"releaseId": first, "requestId": "r-2"}, "ok", "")
	step(w.admin, publishRelease, object{"releaseId": first}, "failed_precondition ALREADY_ACTIVE", "")

	step(w.admin, rollbackRelease, object{}, "failed_precondition NO_FORMER_RELEASE", "")
	step(w.admin, publishRelease, object{"releaseId": second}, "ok", "release.publish "+second)
	step(w.operator, rollbackRelease, object{}, "permission_denied ROLE_TOO_LOW", "")
	step(w.admin, rollbackRelease, object{"validateOnly": true}, "ok", "")
	step(w.admin, rollbackRelease, object{"expectedReleaseId": first}, "aborted RELEASE_MOVED", "")
	step(w.admin, rollbackRelease, object{"requestId": "r-3"}, "ok", "release.rollback "+first)
	step(w.admin, rollbackRelease, object{"requestId": "r-3"}, "ok", "")
}
