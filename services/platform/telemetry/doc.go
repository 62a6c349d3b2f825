// Package telemetry builds what a process reports about itself: the structured
// logger, the trace provider and the metrics registry. Nothing here touches the
// global logger, tracer provider, propagator or registry; callers hand the
// results to whoever needs them.
package telemetry
