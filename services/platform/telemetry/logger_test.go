package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"trunkline/services/platform/config"
	"trunkline/services/platform/telemetry"
)

const (
	traceID = "0102030405060708090a0b0c0d0e0f10"
	spanID  = "0102030405060708"
)

func identified(t *testing.T) context.Context {
	t.Helper()
	tid, err := trace.TraceIDFromHex(traceID)
	require.NoError(t, err)
	sid, err := trace.SpanIDFromHex(spanID)
	require.NoError(t, err)
	ctx := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{TraceID: tid, SpanID: sid}))
	return telemetry.WithRequestID(ctx, "req-1")
}

func parse(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(line, &m), string(line))
	return m
}

func TestJSONLinesHaveTheAgreedKeys(t *testing.T) {
	var out bytes.Buffer
	logger := telemetry.NewLogger(&out, telemetry.LogConfig{Format: telemetry.FormatJSON, Service: "routing-engine"})
	logger.InfoContext(identified(t), "decided", "to", "+447911…", "time", "noon")

	line := parse(t, out.Bytes())
	text, _ := line["timestamp"].(string)
	_, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	delete(line, "timestamp")
	require.Equal(t, map[string]any{
		"level": "INFO", "service": "routing-engine", "traceId": traceID, "spanId": spanID,
		"request_id": "req-1", "message": "decided", "to": "+447911…", "time": "noon",
	}, line)
}

func TestTimestampsAreInUTC(t *testing.T) {
	var out bytes.Buffer
	handler := telemetry.NewLogger(&out, telemetry.DefaultLogConfig()).Handler()
	east := time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("east", 5*60*60))
	require.NoError(t, handler.Handle(t.Context(), slog.NewRecord(east, slog.LevelInfo, "m", 0)))
	require.Equal(t, "2026-03-01T07:00:00Z", parse(t, out.Bytes())["timestamp"])
}

func TestARecordMayBeHandledTwice(t *testing.T) {
	var out bytes.Buffer
	handler := telemetry.NewLogger(&out, telemetry.DefaultLogConfig()).Handler()
	record := slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0)
	// More attributes than a record keeps inline, so that copies share a slice with room left.
	for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"} {
		record.Add(key, 1)
	}
	ctx := identified(t)
	require.NoError(t, handler.Handle(telemetry.WithRequestID(ctx, "first"), record))
	out.Reset()
	require.NoError(t, handler.Handle(telemetry.WithRequestID(ctx, "second"), record))
	require.NotContains(t, out.String(), "!BUG")
	require.Equal(t, "second", parse(t, out.Bytes())["request_id"])
}

func TestWithoutIdentifiersTheirKeysAreAbsent(t *testing.T) {
	var out bytes.Buffer
	telemetry.NewLogger(&out, telemetry.DefaultLogConfig()).Info("started")
	line := parse(t, out.Bytes())
	for _, key := range []string{"traceId", "spanId", "request_id", "service", "msg", "time"} {
		require.NotContains(t, line, key)
	}
}

func TestIdentifiersStayAtTheTopWhateverGroupsAreOpen(t *testing.T) {
	for _, c := range []struct {
		name string
		with func(*slog.Logger) *slog.Logger
		want map[string]any
	}{
		{"a group", func(l *slog.Logger) *slog.Logger { return l.WithGroup("g") },
			map[string]any{"g": map[string]any{"k": "v"}}},
		{"attributes before a group", func(l *slog.Logger) *slog.Logger { return l.With("a", "1").WithGroup("g") },
			map[string]any{"a": "1", "g": map[string]any{"k": "v"}}},
		{"attributes inside nested groups", func(l *slog.Logger) *slog.Logger {
			return l.WithGroup("g").With("a", "1").WithGroup("h").With("b", "2")
		}, map[string]any{"g": map[string]any{"a": "1", "h": map[string]any{"b": "2", "k": "v"}}}},
		{"an empty group name and no attributes", func(l *slog.Logger) *slog.Logger { return l.WithGroup("").With() },
			map[string]any{"k": "v"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			c.with(telemetry.NewLogger(&out, telemetry.DefaultLogConfig())).InfoContext(identified(t), "m", "k", "v")
			line := parse(t, out.Bytes())
			delete(line, "timestamp")
			c.want["level"], c.want["message"] = "INFO", "m"
			c.want["traceId"], c.want["spanId"], c.want["request_id"] = traceID, spanID, "req-1"
			require.Equal(t, c.want, line)
		})
	}
}

func TestSiblingLoggersDoNotShareTheirGroups(t *testing.T) {
	var out bytes.Buffer
	base := telemetry.NewLogger(&out, telemetry.DefaultLogConfig()).WithGroup("g").With("a", "1").With("b", "2")
	left, right := base.With("left", "1"), base.With("right", "1")
	left.InfoContext(identified(t), "m")
	require.NotContains(t, out.String(), "right")
	out.Reset()
	right.InfoContext(identified(t), "m")
	require.NotContains(t, out.String(), "left")
}

func TestTheLevelChangesAtRunTime(t *testing.T) {
	for _, format := range []string{telemetry.FormatJSON, telemetry.FormatText} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			control := new(slog.LevelVar)
			logger := telemetry.NewLogger(&out, telemetry.LogConfig{Level: slog.LevelWarn, Format: format, Control: control})
			derived := logger.With("a", 1).WithGroup("g")
			derived.Info("hidden")
			require.Empty(t, out.String())
			require.Equal(t, slog.LevelWarn, control.Level())
			control.Set(slog.LevelDebug)
			derived.Debug("shown")
			require.Contains(t, out.String(), "shown")
		})
	}
}

func TestTextLinesAreForPeople(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"message first, then attributes", func(l *slog.Logger) { l.Info("operator created", "id", 7) },
			`^\d\d:\d\d:\d\d\.\d{3} INFO  operator created service=dev id=7\n$`},
		{"identifiers from the context", func(l *slog.Logger) { l.WarnContext(identified(t), "slow") },
			`^\S+ WARN  slow service=dev traceId=` + traceID + ` spanId=` + spanID + ` request_id=req-1\n$`},
		{"groups", func(l *slog.Logger) { l.WithGroup("g").With("a", 1).Error("m", "b", 2) },
			`^\S+ ERROR m service=dev g\.a=1 g\.b=2\n$`},
		{"attributes named like the built-in ones stay", func(l *slog.Logger) { l.Info("m", "level", "high", "msg", "x", "time", "noon") },
			`^\S+ INFO  m service=dev level=high msg=x time=noon\n$`},
		{"a message cannot forge a second line", func(l *slog.Logger) { l.Info("a\n12:00:00.000 INFO  b\x1b[2J") },
			`^\S+ INFO  "a\\n12:00:00\.000 INFO  b\\x1b\[2J" service=dev\n$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			c.log(telemetry.NewLogger(&out, telemetry.LogConfig{Format: telemetry.FormatText, Service: "dev"}))
			require.Regexp(t, c.want, out.String())
		})
	}
	t.Run("a line without attributes has no trailing space", func(t *testing.T) {
		var out bytes.Buffer
		telemetry.NewLogger(&out, telemetry.LogConfig{Format: telemetry.FormatText}).Info("m")
		require.Regexp(t, `^\S+ INFO  m\n$`, out.String())
	})
}

func TestConcurrentRecordsKeepWholeLines(t *testing.T) {
	for _, format := range []string{telemetry.FormatJSON, telemetry.FormatText} {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			logger := telemetry.NewLogger(&out, telemetry.LogConfig{Format: format})
			ctx := identified(t)
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					derived := logger.WithGroup("g").With("a", 1)
					for range 50 {
						derived.InfoContext(ctx, "m", "b", 2)
					}
				})
			}
			group.Wait()
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			require.Len(t, lines, 400)
			for _, line := range lines {
				require.Equal(t, 1, strings.Count(line, traceID), line)
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	ctx := t.Context()
	require.Empty(t, telemetry.RequestID(ctx))
	require.Equal(t, ctx, telemetry.WithRequestID(ctx, ""))
	ctx = telemetry.WithRequestID(ctx, "a")
	require.Equal(t, "a", telemetry.RequestID(ctx))
	require.Equal(t, "a", telemetry.RequestID(telemetry.WithRequestID(ctx, "")))
}

type process struct {
	Log   telemetry.LogConfig   `koanf:"log"`
	Trace telemetry.TraceConfig `koanf:"trace"`
}

func processDefaults() process {
	return process{Log: telemetry.DefaultLogConfig(), Trace: telemetry.DefaultTraceConfig()}
}

func TestSettings(t *testing.T) {
	for _, c := range []struct{ name, env, want string }{
		{"the defaults are valid", "", ""},
		{"levels in small letters are fine", "TRUNKLINE_LOG_LEVEL=debug", ""},
		{"text is a format", "TRUNKLINE_LOG_FORMAT=text", ""},
		{"an endpoint is host and port", "TRUNKLINE_TRACE_ENDPOINT=[::1]:4317", ""},
		{"a level that does not exist", "TRUNKLINE_LOG_LEVEL=loud", "log.level"},
		{"a format that does not exist", "TRUNKLINE_LOG_FORMAT=xml", "choose json or text"},
		{"an endpoint with a scheme", "TRUNKLINE_TRACE_ENDPOINT=http://a:4317", "without a scheme"},
		{"an endpoint without a port", "TRUNKLINE_TRACE_ENDPOINT=collector", "trace.endpoint"},
		{"an endpoint without a host", "TRUNKLINE_TRACE_ENDPOINT=:4317", "trace.endpoint"},
		{"port 0", "TRUNKLINE_TRACE_ENDPOINT=a:0", "trace.endpoint"},
		{"a ratio above 1", "TRUNKLINE_TRACE_SAMPLE_RATIO=1.1", "choose a share from 0 to 1"},
		{"a ratio below 0", "TRUNKLINE_TRACE_SAMPLE_RATIO=-0.1", "choose a share from 0 to 1"},
		{"no time to export", "TRUNKLINE_TRACE_EXPORT_TIMEOUT=0s", "trace.export_timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Load(processDefaults(), config.Options{Environ: []string{c.env}})
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

func BenchmarkLoggerJSON(b *testing.B) {
	logger := telemetry.NewLogger(io.Discard, telemetry.DefaultLogConfig())
	ctx := telemetry.WithRequestID(b.Context(), "req-1")
	b.ReportAllocs()
	for b.Loop() {
		logger.InfoContext(ctx, "decided", "operator", "7")
	}
}
