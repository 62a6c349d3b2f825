package telemetry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
)

// textHandler writes lines for people:
//
//	15:04:05.000 INFO  operator created service=operator-management id=7
//
// The attributes are formatted by slog's own text handler into a shared buffer.
type textHandler struct {
	attrs slog.Handler
	sink  *textSink
}

// textSink is shared by all handlers derived from one logger.
type textSink struct {
	mu  sync.Mutex
	buf bytes.Buffer
	w   io.Writer
}

func newTextHandler(w io.Writer, level slog.Leveler) *textHandler {
	sink := &textSink{w: w}
	return &textHandler{
		attrs: slog.NewTextHandler(&sink.buf, &slog.HandlerOptions{Level: level, ReplaceAttr: dropBuiltin}),
		sink:  sink,
	}
}

// dropBuiltin removes level and message, which the line shows in front. The
// types tell them from attributes that a caller named the same.
func dropBuiltin(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	if _, isLevel := a.Value.Any().(slog.Level); isLevel && a.Key == slog.LevelKey {
		return slog.Attr{}
	}
	if a.Key == slog.MessageKey && a.Value.Kind() == slog.KindString && a.Value.String() == "" {
		return slog.Attr{}
	}
	return a
}

func (h *textHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.attrs.Enabled(ctx, level)
}

func (h *textHandler) Handle(ctx context.Context, r slog.Record) error {
	bare := slog.NewRecord(time.Time{}, r.Level, "", r.PC)
	r.Attrs(func(a slog.Attr) bool {
		bare.AddAttrs(a)
		return true
	})
	h.sink.mu.Lock()
	defer h.sink.mu.Unlock()
	h.sink.buf.Reset()
	fmt.Fprintf(&h.sink.buf, "%s %-5s %s ", r.Time.Format("15:04:05.000"), r.Level, oneLine(r.Message))
	if err := h.attrs.Handle(ctx, bare); err != nil {
		return err
	}
	line := bytes.TrimRight(h.sink.buf.Bytes(), " \n")
	_, err := h.sink.w.Write(append(line, '\n'))
	return err
}

// oneLine quotes text that would break out of its line or steer a terminal.
func oneLine(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}

func (h *textHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &textHandler{attrs: h.attrs.WithAttrs(attrs), sink: h.sink}
}

func (h *textHandler) WithGroup(name string) slog.Handler {
	return &textHandler{attrs: h.attrs.WithGroup(name), sink: h.sink}
}
