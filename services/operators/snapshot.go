package operators

// Snapshot is a part of everything that engines route by. All parts belong to one state of the configuration. A part
// holds one kind of rows, at most SnapshotRows of them.
type Snapshot struct {
	// ConfigVersion is the version of the configuration, RulesVersion that of rules and rates.
	ConfigVersion, RulesVersion int64
	// Operators are live.
	Operators []Operator
	// Rules are live, also those that are switched off.
	Rules []Rule
	// Rates count now or later.
	Rates []Rate
	FX    FX
}

// SnapshotRows is how many rows a part holds at most.
const SnapshotRows = 1000
