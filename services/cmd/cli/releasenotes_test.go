package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	releasesv1 "trunkline/gen/go/trunkline/releases/v1"
)

func TestQuestionsNameWhatTheyEnd(t *testing.T) {
	next := &releasesv1.Release{ReleaseId: "c", Number: 3, RuleCount: 9}
	former := &releasesv1.Release{ReleaseId: "b", Number: 2, RuleCount: 9}
	waits := &releasesv1.Release{ReleaseId: "a", Number: 1, LastActivation: &releasesv1.ReleaseActivation{
		CreatedBy: "carl", ActivateTime: timestamppb.New(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)),
	}}
	require.Equal(t, "release 3 is the first to be served (rules: 9 new). Really publish it?", publishQuestion(next, nil, nil, "rules: 9 new"))
	require.Equal(t, "release 3 takes the place of release 2 (x), and calls off release 1, scheduled for 2027-01-01T00:00:00Z by carl. Really publish it?",
		publishQuestion(next, former, waits, "x"))
	require.Equal(t, "Really go back from release 2 to release 3?", rollbackQuestion(former, next, nil))
	require.Equal(t, "It calls off release 1, scheduled for 2027-01-01T00:00:00Z by carl. Really go back from release 2 to release 3?", rollbackQuestion(former, next, waits))
	require.Equal(t, "release 2 stays in force, and calls off release 1, scheduled for 2027-01-01T00:00:00Z by carl. Really call it off?", rollbackQuestion(former, former, waits))
	next.RuleCount = 0
	require.Equal(t, "release 3 has no rules: in force, every number is without a route. release 3 takes the place of release 2 (x). Really publish it?",
		publishQuestion(next, former, nil, "x"))
}
