//go:build pact

package operatorsfx_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	"trunkline/services/platform/pacttest"
)

// The parts of a configuration travel in envelopes of the Connect protocol: a byte of flags, four of length, a message.
const (
	envelope  = 5
	endStream = 0b10
	// maxPart is more than any part of a world's configuration.
	maxPart = 1 << 20
)

// part gives the part of ListOperatorConfigs that has a field, as the internal listener sends it.
func part(s *pacttest.Worlds[*world], field string) pacttest.Message {
	return func(ctx context.Context) ([]byte, map[string]any, error) {
		w, err := s.Current(ctx)
		if err != nil {
			return nil, nil, err
		}
		parts, err := w.configuration(ctx)
		if err != nil {
			return nil, nil, err
		}
		for _, data := range parts {
			var fields map[string]json.RawMessage
			if err := json.Unmarshal(data, &fields); err != nil {
				return nil, nil, err
			}
			if fields[field] != nil {
				return data, map[string]any{
					"contentType": "application/json", "procedure": operatorsv1connect.InternalOperatorServiceListOperatorConfigsProcedure,
				}, nil
			}
		}
		return nil, nil, fmt.Errorf("no part of the configuration has the field %s", field)
	}
}

func (w *world) configuration(ctx context.Context) (parts [][]byte, err error) {
	question := append(binary.BigEndian.AppendUint32([]byte{0}, 2), "{}"...)
	address := w.URL() + operatorsv1connect.InternalOperatorServiceListOperatorConfigsProcedure
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(question))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/connect+json")
	req.Header.Set("Connect-Protocol-Version", "1")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the listener answered %s", res.Status)
	}
	for {
		var head [envelope]byte
		if _, err := io.ReadFull(res.Body, head[:]); err != nil {
			return nil, fmt.Errorf("read an envelope: %w", err)
		}
		size := binary.BigEndian.Uint32(head[1:])
		if size > maxPart {
			return nil, fmt.Errorf("an envelope of %d bytes", size)
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(res.Body, data); err != nil {
			return nil, fmt.Errorf("read an envelope: %w", err)
		}
		if head[0]&endStream == 0 {
			parts = append(parts, data)
			continue
		}
		var end struct {
			Error json.RawMessage `json:"error"`
		}
		if err := json.Unmarshal(data, &end); err != nil {
			return nil, err
		}
		if end.Error != nil {
			return nil, errors.New(string(end.Error))
		}
		return parts, nil
	}
}
