//go:build pact

package operatorsfx_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"testing"

	"trunkline/services/operators"
	"trunkline/services/platform/pacttest"
)

func TestProviderKeepsItsPacts(t *testing.T) {
	s := pacttest.NewWorlds(t, newWorld)
	pacttest.Verify(t, pacttest.Provider{
		Name: "operator-management", URL: s.URL, Reset: s.End,
		States: map[string]pacttest.State{
			"operators exist":                         pacttest.Arrange(s, operatorsExist),
			"routing rules exist":                     pacttest.Arrange(s, rulesExist),
			"an operator is bound":                    pacttest.Arrange(s, operatorIsBound),
			"a neighbour said UNBOUND of an operator": pacttest.Arrange(s, neighbourSaidUnbound),
		},
		Messages: map[string]pacttest.Message{
			"the first word about an operator: BOUND":                    published(s),
			"the short form that a neighbour publishes by hand: UNBOUND": published(s),
		},
	}, "../../../pacts")
}

// row is a line of an import file by column.
type row map[string]string

func operatorsExist(ctx context.Context, w *world, p struct {
	Operators []row `json:"operators"`
}) error {
	file, err := table(p.Operators, "name", "host", "port", "system_id", "bind_type", "max_tps", "message_types", "status")
	if err != nil {
		return err
	}
	return applied(w.importer.ImportOperators(ctx, file, operators.Options{}))
}

func rulesExist(ctx context.Context, w *world, p struct {
	Rules []row `json:"rules"`
}) error {
	file, err := table(p.Rules, "account", "prefix", "country", "message_types", "strategy", "on_exhausted", "operator", "priority", "weight", "price", "currency")
	if err != nil {
		return err
	}
	return applied(w.importer.ImportRules(ctx, file, operators.Options{}))
}

// table writes rows as a file; a row has every column and no other.
func table(rows []row, columns ...string) ([]byte, error) {
	var file bytes.Buffer
	w := csv.NewWriter(&file)
	lines := [][]string{columns}
	for _, r := range rows {
		var line []string
		for _, column := range columns {
			if value, ok := r[column]; ok {
				line = append(line, value)
			}
		}
		if len(line) != len(columns) || len(r) != len(columns) {
			return nil, fmt.Errorf("a row needs exactly the columns %v, not %v", columns, r)
		}
		lines = append(lines, line)
	}
	err := w.WriteAll(lines)
	return file.Bytes(), err
}

func applied(result operators.Result, err error) error {
	if err == nil && !result.Applied {
		err = fmt.Errorf("nothing was stored: %+v", result.BadLines)
	}
	return err
}

var errNothingPublished = errors.New("the state of this interaction published no event")

// published gives the event that the state made operator-management publish, as the stream holds it.
func published(s *pacttest.Worlds[*world]) pacttest.Message {
	return func(ctx context.Context) ([]byte, map[string]any, error) {
		w, err := s.Current(ctx)
		if err != nil {
			return nil, nil, err
		}
		if w.event == nil {
			return nil, nil, errNothingPublished
		}
		return w.event.Data, map[string]any{"contentType": "application/json", "subject": w.event.Subject}, nil
	}
}
