package operators_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trunkline/services/operators"
	"trunkline/services/platform/money"
)

func TestRatesSurviveWritingAndReading(t *testing.T) {
	want := []operators.Rate{
		{OperatorID: nordlink, Prefix: "44", MCC: "234", MNC: "01", MessageType: operators.SMS, Price: money.Money{Nanos: 12_500_000, Currency: euro},
			EffectiveFrom: noon.Add(time.Microsecond), EffectiveTo: noon.Add(time.Hour)},
		{OperatorID: nordlink, Prefix: "44", MCC: "234", MessageType: operators.Flash, Price: money.Money{Nanos: 1, Currency: dollar}, EffectiveFrom: noon.Add(time.Hour)},
		{OperatorID: nordlink, Prefix: "123456789012345", MessageType: operators.WAP, Price: money.Money{Currency: euro}, EffectiveFrom: noon},
	}
	var file bytes.Buffer
	require.NoError(t, operators.WriteRates(&file, want))
	require.Equal(t, "prefix,price,currency,message_type,mcc,mnc,effective_from,effective_to\n"+
		"+44,0.012500,EUR,SMS,234,01,2026-11-21T12:00:00.000001Z,2026-11-21T13:00:00Z\n"+
		"+44,0.000000001,USD,FLASH,234,,2026-11-21T13:00:00Z,\n"+
		"+123456789012345,0.000000,EUR,WAP,,,2026-11-21T12:00:00Z,\n", file.String())
	s := newRateStore()
	s.take(t, full(file.String()), noon)
	got := s.list()
	for i := range got {
		got[i].ID = [16]byte{}
	}
	require.ElementsMatch(t, want, got)
}

func TestNoCellOfAnExportOfRatesRunsAsAFormula(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, operators.WriteRates(&file, []operators.Rate{{Prefix: "44", MCC: "=1+1", MNC: "@SUM(A1)", MessageType: operators.SMS, EffectiveFrom: noon}}))
	records, err := csv.NewReader(&file).ReadAll()
	require.NoError(t, err)
	for i, cell := range records[1] {
		if cell != "" && i > 0 {
			require.NotContains(t, "=+-@", cell[:1], "%q", cell)
		}
	}
	require.Equal(t, "+44", records[1][0], "the prefix is left as it is: nothing but digits follow")
}

func TestWritingRatesFails(t *testing.T) {
	broken := errors.New("broken")
	require.ErrorIs(t, operators.WriteRates(failingWriter{broken}, make([]operators.Rate, 1000)), broken)
}

type failingWriter struct{ err error }

func (f failingWriter) Write([]byte) (int, error) { return 0, f.err }
