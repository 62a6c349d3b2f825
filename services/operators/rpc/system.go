package rpc

import (
	"context"
	"time"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/config"
)

// Process is what a caller may know of the process.
type Process struct {
	// Name is such as operator-management.
	Name, Version string
	// Started is when it did.
	Started time.Time
	// Settings are those it started with. Their values are fit to be shown, as config gives them.
	Settings []config.Setting
}

// System serves SystemService.
type System struct {
	process Process
}

var _ operatorsv1connect.SystemServiceHandler = (*System)(nil)

// NewSystem gives the handler of SystemService.
func NewSystem(process Process) *System { return &System{process: process} }

// GetSystem tells what the process is.
func (h *System) GetSystem(context.Context, *operatorsv1.GetSystemRequest) (*operatorsv1.GetSystemResponse, error) {
	return &operatorsv1.GetSystemResponse{
		Process: h.process.Name, Version: h.process.Version, StartTime: toTime(h.process.Started),
	}, nil
}

// ListSettings gives every setting.
func (h *System) ListSettings(context.Context, *operatorsv1.ListSettingsRequest) (*operatorsv1.ListSettingsResponse, error) {
	response := &operatorsv1.ListSettingsResponse{}
	for _, s := range h.process.Settings {
		response.Settings = append(response.Settings, &operatorsv1.Setting{Key: s.Key, Value: s.Value, Origin: string(s.Origin)})
	}
	return response, nil
}
