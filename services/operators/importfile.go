package operators

import (
	"bytes"
	"context"

	"github.com/google/uuid"

	"trunkline/services/platform/fault"
)

func checkSize(file []byte) error {
	if len(file) > MaxFileBytes {
		return fault.New(fault.InvalidArgument, ReasonFileTooLarge, "The file has more than %d bytes: split it.", MaxFileBytes)
	}
	return nil
}

func (p Progress) reading(file []byte) func(line int64) {
	total := int64(bytes.Count(file, []byte{'\n'}))
	if len(file) > 0 && file[len(file)-1] != '\n' {
		total++
	}
	return func(line int64) { p.report(min(line, total), total) }
}

// reader stops with the error of ctx when that ends.
func reader(ctx context.Context, file []byte) *contextReader {
	return &contextReader{ctx: ctx, Reader: bytes.NewReader(file)}
}

type contextReader struct {
	ctx context.Context
	*bytes.Reader
}

// Read reads from the file.
func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// Resolve returns a resolver over live operators.
func Resolve(live []Operator) Resolver {
	byName := make(map[string]Operator, len(live))
	byID := make(map[uuid.UUID]Operator, len(live))
	for _, o := range live {
		byName[o.Name] = o
		byID[o.ID] = o
	}
	return func(text string) (uuid.UUID, string, bool) {
		o, found := byName[text]
		if !found {
			if id, err := parseUUID(text); err == nil {
				o, found = byID[id]
			}
		}
		return o.ID, o.Name, found
	}
}
