package sessions

import (
	"time"

	"trunkline/services/platform/jetstream"
)

// The streams and subjects of health. A subject ends in the id of the operator.
const (
	SessionStream  = "OPERATOR_SESSION"
	SessionSubject = "operator.session."
	HealthStream   = "OPERATOR_HEALTH"
	HealthSubject  = "operator.health."

	durable = "ops-health-consumer"
)

// Streams is what the ingest needs to exist. The routing engine asks for OPERATOR_HEALTH with the same settings;
// whoever starts first creates it.
func Streams() []jetstream.StreamSpec {
	return []jetstream.StreamSpec{
		{
			// Counts must not be lost to a later report, so it keeps several of each operator. A leader that takes over
			// reads all of them, which is why they are few.
			Name: SessionStream, Description: "What connectors see of their sessions.",
			Subjects: []string{SessionSubject + ">"}, MaxAge: time.Hour, MaxPerSubject: 100,
		},
		{
			Name: HealthStream, Description: "Reduced health: the last word about each operator.",
			Subjects: []string{HealthSubject + ">"}, MaxAge: 24 * time.Hour, MaxPerSubject: 1,
		},
		jetstream.DeadLetterSpec(),
	}
}
