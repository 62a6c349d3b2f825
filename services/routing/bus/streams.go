package bus

import (
	"time"

	"trunkline/services/platform/jetstream"
)

// The streams, subjects and durables of the engine.
const (
	HealthStream  = "OPERATOR_HEALTH"
	InboxStream   = "OPERATOR_HEALTH_INBOX"
	ConfigStream  = "OPERATOR_CONFIG"
	HealthSubject = "operator.health" // the plain one, for neighbours; the stream's own have .<operator_id>
	ConfigSubject = "operator.config.>"

	healthDurable = "routing-engine-health"
	inboxDurable  = "routing-engine-health-inbox"
	configDurable = "routing-engine-config"
)

// Streams is what the engine needs to exist, besides DEAD_LETTER.
func Streams() []jetstream.StreamSpec {
	return []jetstream.StreamSpec{
		{
			Name: HealthStream, Description: "Reduced health: the last word about each operator.",
			Subjects: []string{HealthSubject + ".>"}, MaxAge: 24 * time.Hour, MaxPerSubject: 1,
		},
		{
			Name: InboxStream, Description: "Health published by hand or by neighbours, on its way to " + HealthStream + ".",
			Subjects: []string{HealthSubject}, MaxAge: 24 * time.Hour,
		},
		{
			Name: ConfigStream, Description: "Changes of operators, rules and rates.",
			Subjects: []string{ConfigSubject}, MaxAge: 7 * 24 * time.Hour,
		},
		jetstream.DeadLetterSpec(),
	}
}
