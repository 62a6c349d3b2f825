package releases

import (
	"encoding/json"

	"trunkline/services/platform/release"
	"trunkline/services/routing"
)

// keptOperators is how the folder holds what operators are set to. Names stand for states, because numbers could change.
type keptOperators struct {
	Config, Behind int64
	Operators      []release.Operator
}

// asOf tells one state of the live operators from another.
type asOf struct{ config, behind int64 }

func versionOf(live routing.LiveOperators) asOf { return asOf{live.Config, live.Behind} }

var statusNames = map[routing.Status]string{
	routing.StatusInactive: release.Inactive, routing.StatusActive: release.Active, routing.StatusSuspended: release.Suspended,
}

// saveLive keeps what operators are set to.
func (f *Folder) saveLive(live routing.LiveOperators) error {
	kept := keptOperators{Config: live.Config, Behind: live.Behind, Operators: make([]release.Operator, len(live.Operators))}
	for i, o := range live.Operators {
		kept.Operators[i] = release.Operator{
			ID: o.ID, Name: o.Name, Host: o.Host, Port: o.Port, SystemID: o.SystemID, MaxTPS: o.TPSLimit,
			Types: release.MessageTypes(o.Types >> routing.SMS), Status: statusNames[o.Status], ReceivesOnly: o.ReceivesOnly,
		}
	}
	data, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	return f.writeSealed(operatorsFile, data)
}

// loadLive gives what operators were set to last; false when nothing is kept. A state that is not known here is never
// usable.
func (f *Folder) loadLive() (live routing.LiveOperators, ok bool, err error) {
	data, err := f.readSealed(operatorsFile)
	if err != nil || data == nil {
		return live, false, err
	}
	var kept keptOperators
	if err := json.Unmarshal(data, &kept); err != nil {
		return live, false, errDamaged
	}
	live.Config, live.Behind = kept.Config, kept.Behind
	for _, row := range kept.Operators {
		live.Operators = append(live.Operators, operatorOf(row, routing.ParseStatus(row.Status)))
	}
	return live, true, nil
}
