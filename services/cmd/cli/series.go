package cli

import (
	"bytes"
	"io"

	"google.golang.org/protobuf/proto"
)

// series writes what a stream brings as JSON, lines of JSON or CSV, and holds one message of it.
type series[T proto.Message] struct {
	w    io.Writer
	json *jsonSequence // nil for CSV
	csv  func([]T) ([]byte, error)
	// began is true once the header is written.
	began bool
}

func newSeries[T proto.Message](w io.Writer, form string, csv func([]T) ([]byte, error)) *series[T] {
	s := &series[T]{w: w, csv: csv}
	if form != formCSV {
		s.json = &jsonSequence{w: w, array: form == formJSON}
	}
	return s
}

func (s *series[T]) add(all []T) error {
	if s.json != nil {
		for _, one := range all {
			if err := s.json.add(one); err != nil {
				return err
			}
		}
		return nil
	}
	file, err := s.csv(all)
	if err != nil {
		return err
	}
	if s.began {
		_, file, _ = bytes.Cut(file, []byte("\n"))
	}
	s.began = true
	_, err = s.w.Write(file)
	return err
}

func (s *series[T]) end() error {
	if s.json != nil {
		return s.json.end()
	}
	if !s.began {
		return s.add(nil)
	}
	return nil
}
