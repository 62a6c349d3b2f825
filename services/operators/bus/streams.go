package bus

import (
	"time"

	"trunkline/services/platform/jetstream"
)

// Streams is what this service publishes to. The routing engine, which reads it,
// asks for the same stream; whoever starts first creates it.
func Streams() []jetstream.StreamSpec {
	return []jetstream.StreamSpec{{
		Name: "OPERATOR_CONFIG", Description: "Changes of operators, rules and rates.",
		Subjects: []string{"operator.config.>"}, MaxAge: 7 * 24 * time.Hour,
	}}
}
