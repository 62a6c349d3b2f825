package releases_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/operators/releases"
	"trunkline/services/platform/money"
	"trunkline/services/platform/release"
)

func TestADraftHoldsPricesAndCurrencies(t *testing.T) {
	euro, dollar := money.Currency{'E', 'U', 'R'}, money.Currency{'U', 'S', 'D'}
	operator := operators.Operator{
		ID: uuid.Must(uuid.NewV7()), Name: "Alpha", Host: "a.example", Port: 2775, SystemID: "alpha", MaxTPS: 100,
		BindType: operators.Receiver, MessageTypes: operators.SMS | operators.WAP, Status: operators.Suspended,
	}
	from := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	rates := []operators.Rate{
		{Prefix: "44", MessageType: operators.SMS, Price: money.Money{Nanos: 5, Currency: euro}, EffectiveFrom: from},
		{Prefix: "44", MessageType: operators.Flash, Price: money.Money{Currency: dollar}, EffectiveFrom: from, EffectiveTo: from.Add(time.Hour)},
		{Prefix: "441", MessageType: operators.WAP, Price: money.Money{Nanos: 7, Currency: euro}, EffectiveFrom: from},
	}
	for i := range rates {
		rates[i].ID, rates[i].OperatorID = uuid.Must(uuid.NewV7()), operator.ID
	}
	draft := releases.NewDraft()
	for _, part := range []operators.Snapshot{
		{Operators: []operators.Operator{operator}}, {Rates: rates[1:]}, {Rates: rates[:1]}, {FX: operators.FX{euro: money.NanosPerUnit, dollar: 900_000_000}},
	} {
		require.NoError(t, draft.Add(part))
	}
	var stored bytes.Buffer
	artifact, err := draft.Seal(&stored)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 0, 3, int64(stored.Len())}, []int64{artifact.Operators, artifact.Rules, artifact.Rates, artifact.StoredSize})

	reader, err := release.NewReader(&stored, artifact.Digest, artifact.Size)
	require.NoError(t, err)
	require.Equal(t, []release.Operator{{
		ID: operator.ID, Name: "Alpha", Host: "a.example", Port: 2775, SystemID: "alpha", MaxTPS: 100,
		Types: release.SMS | release.WAP, Status: release.Suspended, ReceivesOnly: true,
	}}, reader.Operators())
	require.Equal(t, []release.FXRate{{Currency: euro, Nanos: money.NanosPerUnit}, {Currency: dollar, Nanos: 900_000_000}}, reader.FX())
	var got []release.Rate
	for rate, err := range reader.Rates() {
		require.NoError(t, err)
		got = append(got, *rate)
	}
	require.NoError(t, reader.Close())
	kinds := []routingv1.MessageType{
		routingv1.MessageType_MESSAGE_TYPE_SMS, routingv1.MessageType_MESSAGE_TYPE_FLASH, routingv1.MessageType_MESSAGE_TYPE_WAP,
	}
	want := make([]release.Rate, len(rates))
	for i, r := range rates {
		want[i] = release.Rate{
			ID: r.ID, Operator: operator.ID, Prefix: r.Prefix, Type: kinds[i], Price: r.Price, From: r.EffectiveFrom, To: r.EffectiveTo,
		}
	}
	require.Equal(t, want, got)
}

func TestADraftRefusesARateOfTwoTypes(t *testing.T) {
	err := releases.NewDraft().Add(operators.Snapshot{Rates: []operators.Rate{{MessageType: operators.SMS | operators.WAP}}})
	require.ErrorIs(t, err, release.ErrContent)
}
