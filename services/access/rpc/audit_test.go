package rpc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	accessv1 "trunkline/gen/go/trunkline/access/v1"
	"trunkline/gen/go/trunkline/access/v1/accessv1connect"
	"trunkline/services/access"
	"trunkline/services/access/rpc"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/pagetoken"
)

// shelf is a log of rows a second apart, the oldest first.
type shelf struct {
	rows    []access.AuditRow
	asked   []access.AuditFilter
	verdict access.AuditVerdict
	head    *access.AuditHash
}

func newShelf(n int) *shelf {
	s := &shelf{}
	after := `{"name":"Nordlink"}`
	for i := range n {
		s.rows = append(s.rows, access.AuditRow{
			ID: uuid.New(), At: time.Date(2026, 11, 21, 12, 0, i, 0, time.UTC), Actor: "key:1", Action: "operator.update",
			Entity: "operator", EntityID: "o", After: &after, Sequence: int64(i + 1), Hash: access.AuditHash{byte(i)},
		})
	}
	s.rows[n-1].Sequence, s.rows[n-1].After, s.rows[n-1].Before = 0, nil, &after // it waits for its seal
	return s
}

func (s *shelf) List(_ context.Context, f access.AuditFilter) (page []access.AuditRow, more bool, err error) {
	s.asked = append(s.asked, f)
	for i := len(s.rows) - 1; i >= 0; i-- {
		if f.AfterTime.IsZero() || s.rows[i].At.Before(f.AfterTime) {
			page = append(page, s.rows[i])
		}
	}
	return page[:min(f.Limit, len(page))], len(page) > f.Limit, nil
}

func (s *shelf) Export(_ context.Context, f access.AuditFilter) (page []access.AuditRow, more bool, err error) {
	s.asked = append(s.asked, f)
	for _, r := range s.rows {
		if r.At.After(f.AfterTime) {
			page = append(page, r)
		}
	}
	return page[:min(f.Limit, len(page))], len(page) > f.Limit, nil
}

func (s *shelf) Prove(_ context.Context, head *access.AuditHash, progress func(int64) error) (access.AuditVerdict, error) {
	s.head = head
	return s.verdict, progress(3)
}

// auditClient asks the service over HTTP, which streams need.
func auditClient(t *testing.T, s *shelf) accessv1connect.AuditServiceClient {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(accessv1connect.NewAuditServiceHandler(rpc.NewAudit(s, s)))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return accessv1connect.NewAuditServiceClient(server.Client(), server.URL)
}

func TestAuditRowsAreListedInPages(t *testing.T) {
	s := newShelf(5)
	service := rpc.NewAudit(s, s)
	filter := &accessv1.AuditFilter{Actor: "key:1", Action: "operator.", Entity: "operator", EntityId: "o", FromTime: timestamppb.New(s.rows[0].At), ToTime: timestamppb.New(s.rows[4].At)}
	var seen []string
	req := &accessv1.ListAuditRowsRequest{PageSize: 2, Filter: filter}
	for {
		res, err := service.ListAuditRows(t.Context(), req)
		require.NoError(t, err)
		for _, r := range res.GetRows() {
			seen = append(seen, r.GetAuditId())
		}
		if req.PageToken = res.GetNextPageToken(); req.GetPageToken() == "" {
			break
		}
	}
	require.Len(t, seen, 5)
	require.Equal(t, s.rows[4].ID.String(), seen[0], "newest first")
	first := s.asked[0]
	require.Equal(t, access.AuditFilter{Actor: "key:1", Action: "operator.", Entity: "operator", EntityID: "o", From: s.rows[0].At, To: s.rows[4].At, Limit: 2}, first)

	page, err := service.ListAuditRows(t.Context(), &accessv1.ListAuditRowsRequest{PageSize: 2, Filter: filter})
	require.NoError(t, err)
	_, err = service.ListAuditRows(t.Context(), &accessv1.ListAuditRowsRequest{PageSize: 2, PageToken: page.GetNextPageToken()})
	require.True(t, fault.Is(err, pagetoken.ReasonInvalid), "the token is of a list with a filter")

	waiting, sealed := page.GetRows()[0], page.GetRows()[1]
	require.Empty(t, waiting.GetHash(), "it waits for its seal")
	require.Equal(t, `{"name":"Nordlink"}`, waiting.GetBefore())
	require.Equal(t, s.rows[3].Hash.String(), sealed.GetHash())
	require.EqualValues(t, 4, sealed.GetSequence())
}

func TestAuditRowsAreExportedOldestFirst(t *testing.T) {
	s := newShelf(1201)
	stream, err := auditClient(t, s).ExportAuditRows(t.Context(), &accessv1.ExportAuditRowsRequest{})
	require.NoError(t, err)
	var seen []string
	for stream.Receive() {
		require.LessOrEqual(t, len(stream.Msg().GetRows()), 500)
		for _, r := range stream.Msg().GetRows() {
			seen = append(seen, r.GetAuditId())
		}
	}
	require.NoError(t, stream.Err())
	require.NoError(t, stream.Close())
	require.Len(t, seen, 1201)
	require.Equal(t, s.rows[0].ID.String(), seen[0])
	require.Equal(t, s.rows[1200].ID.String(), seen[1200])
}

func TestAVerificationTellsItsProgressAndItsVerdict(t *testing.T) {
	id := uuid.New()
	for name, c := range map[string]struct {
		head    string
		verdict access.AuditVerdict
		want    *accessv1.AuditVerdict
	}{
		"a chain that is right": {
			"", access.AuditVerdict{Verified: 3, Unsealed: 1, Head: access.AuditHash{1}},
			&accessv1.AuditVerdict{Verified: 3, Unsealed: 1, Head: access.AuditHash{1}.String()},
		},
		"a chain that breaks": {
			strings.Repeat("ab", 32), access.AuditVerdict{Verified: 2, Defect: &access.AuditDefect{Sequence: 3, ID: id, Reason: access.DefectRowChanged, Message: "It is not."}},
			&accessv1.AuditVerdict{Verified: 2, Head: access.AuditHash{}.String(), Defect: &accessv1.AuditDefect{Sequence: 3, AuditId: id.String(), Reason: "ROW_CHANGED", Message: "It is not."}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShelf(1)
			s.verdict = c.verdict
			stream, err := auditClient(t, s).VerifyAuditChain(t.Context(), &accessv1.VerifyAuditChainRequest{KnownHead: c.head})
			require.NoError(t, err)
			require.True(t, stream.Receive())
			require.EqualValues(t, 3, stream.Msg().GetVerified())
			require.True(t, stream.Receive())
			require.Equal(t, c.want.String(), stream.Msg().GetVerdict().String())
			require.False(t, stream.Receive())
			require.NoError(t, stream.Err())
			require.NoError(t, stream.Close())
			if c.head == "" {
				require.Nil(t, s.head)
			} else {
				require.Equal(t, c.head, s.head.String())
			}
		})
	}
}
