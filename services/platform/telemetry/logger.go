package telemetry

import (
	"io"
	"log/slog"

	"trunkline/services/platform/config"
)

// Log formats.
const (
	FormatJSON = "json"
	FormatText = "text"
)

// Keys of the log lines. Dashboards and log queries depend on them.
const (
	KeyTimestamp = "timestamp"
	KeyMessage   = "message"
	KeyService   = "service"
	KeyTraceID   = "traceId"
	KeySpanID    = "spanId"
	KeyRequestID = "request_id"
)

// LogConfig says how much is logged and in which form.
type LogConfig struct {
	// Level is the least severe level that is written.
	Level slog.Level `koanf:"level" doc:"Least severe level that is logged: debug, info, warn or error."`
	// Format is FormatJSON or FormatText.
	Format string `koanf:"format" doc:"Form of a log line: json for machines, text for people."`

	// Service is the value of the key service; "" leaves it out.
	Service string `koanf:"-"`
	// Control, when set, changes the level at run time. NewLogger sets it to Level.
	Control *slog.LevelVar `koanf:"-"`
}

// DefaultLogConfig logs from info in JSON.
func DefaultLogConfig() LogConfig {
	return LogConfig{Level: slog.LevelInfo, Format: FormatJSON}
}

// Validate reports a format that does not exist.
func (c LogConfig) Validate() error {
	if c.Format != FormatJSON && c.Format != FormatText {
		return config.Invalid("format", c.Format, "choose json or text")
	}
	return nil
}

// NewLogger returns a logger that writes one line per record to w. Each line has
// timestamp (UTC), level, message and service. A record that is logged with a
// context also has traceId and spanId of its span and the request_id, at the
// top level whatever groups the logger has open. Writes to w are serialised.
//
// A format that Validate refuses counts as FormatJSON.
func NewLogger(w io.Writer, cfg LogConfig) *slog.Logger {
	level := cfg.Control
	if level == nil {
		level = new(slog.LevelVar)
	}
	level.Set(cfg.Level)

	var form slog.Handler
	if cfg.Format == FormatText {
		form = newTextHandler(w, level)
	} else {
		form = slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: renameBuiltin})
	}
	if cfg.Service != "" {
		form = form.WithAttrs([]slog.Attr{slog.String(KeyService, cfg.Service)})
	}
	return slog.New(newContextHandler(form))
}

func renameBuiltin(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch {
	case a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime:
		return slog.Time(KeyTimestamp, a.Value.Time().UTC())
	case a.Key == slog.MessageKey:
		a.Key = KeyMessage
	}
	return a
}
