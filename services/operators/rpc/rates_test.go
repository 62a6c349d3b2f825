package rpc_test

import (
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/types/known/timestamppb"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
)

func (s *served) importRates(t *testing.T, req *operatorsv1.ImportRatesRequest) *operatorsv1.RateDiff {
	t.Helper()
	stream, err := s.rates.ImportRates(t.Context(), req)
	message, before := last(t, stream, err)
	s.progress = before
	return message.GetResult()
}

func TestADeckIsShownThenStoredThenListed(t *testing.T) {
	s, ctx := serve(t), t.Context()
	o := s.create(t, alpha())
	req := &operatorsv1.ImportRatesRequest{
		OperatorId: o.GetOperatorId(), Scope: operatorsv1.DeckScope_DECK_SCOPE_FULL, DefaultCurrency: "EUR",
		Deck:         []byte("Code;Rate;MCC;MNC\n44;0.02;234;01\n447;0,0312;;\n33;0.05;208;001\n"),
		Columns:      map[string]string{"prefix": "code", "price": "Rate"},
		ValidateOnly: true, RequestId: "deck-1",
	}
	preview := s.importRates(t, req)
	require.EqualValues(t, 3, preview.GetNewCount())
	require.False(t, preview.GetApplied())
	require.Equal(t, []string{"Code", "Rate", "MCC", "MNC"}, preview.GetHeaders())
	require.Positive(t, s.progress, "progress comes first")
	require.Len(t, preview.GetChanges(), 3)
	require.Equal(t, operatorsv1.RateChangeKind_RATE_CHANGE_KIND_NEW, preview.GetChanges()[0].GetKind())
	require.Nil(t, preview.GetChanges()[0].GetBefore())
	empty, err := s.rates.ListRates(ctx, &operatorsv1.ListRatesRequest{})
	require.NoError(t, err)
	require.Empty(t, empty.GetRates())

	req.ValidateOnly = false
	stored := s.importRates(t, req)
	require.True(t, stored.GetApplied())
	require.EqualValues(t, 2+1, stored.GetConfigVersion(), "the first version, the operator, the deck")
	again := s.importRates(t, req)
	require.Equal(t, stored.GetConfigVersion(), again.GetConfigVersion(), "a repeat")
	require.EqualValues(t, 3, again.GetNewCount())

	var prefixes []string
	list := &operatorsv1.ListRatesRequest{OperatorId: o.GetOperatorId(), PageSize: 1, InForceAt: timestamppb.New(time.Now().Add(time.Minute))}
	for {
		page, err := s.rates.ListRates(ctx, list)
		require.NoError(t, err)
		for _, r := range page.GetRates() {
			prefixes = append(prefixes, r.GetPrefix()+" "+r.GetMcc()+" "+r.GetMnc())
			require.Equal(t, routingv1.MessageType_MESSAGE_TYPE_SMS, r.GetMessageType())
			require.NotNil(t, r.GetEffectiveFrom())
			require.Nil(t, r.GetEffectiveTo())
		}
		if list.PageToken = page.GetNextPageToken(); list.GetPageToken() == "" {
			break
		}
	}
	require.Equal(t, []string{"+33 208 001", "+44 234 01", "+447  "}, prefixes)
	longer, err := s.rates.ListRates(ctx, &operatorsv1.ListRatesRequest{Prefix: "+44"})
	require.NoError(t, err)
	require.Len(t, longer.GetRates(), 2)
	require.EqualValues(t, 31_200_000, longer.GetRates()[1].GetPrice().GetNanos())
	page, err := s.rates.ListRates(ctx, &operatorsv1.ListRatesRequest{PageSize: 1})
	require.NoError(t, err)
	_, err = s.rates.ListRates(ctx, &operatorsv1.ListRatesRequest{Prefix: "+44", PageToken: page.GetNextPageToken()})
	require.Equal(t, "invalid_argument INVALID_PAGE_TOKEN", reason(t, err))
}

func TestBadLinesOfADeckAreToldAndNothingIsStored(t *testing.T) {
	s := serve(t)
	o := s.create(t, alpha())
	diff := s.importRates(t, &operatorsv1.ImportRatesRequest{
		OperatorId: o.GetOperatorId(), Scope: operatorsv1.DeckScope_DECK_SCOPE_PARTIAL,
		Deck: []byte("prefix,price,currency\n44,0.02,EUR\n45,free,EUR\n46,0.01,\n"),
	})
	require.EqualValues(t, 2, diff.GetBadLineCount())
	require.EqualValues(t, 3, diff.GetBadLines()[0].GetLine())
	require.Equal(t, "price", diff.GetBadLines()[0].GetColumn())
	require.False(t, diff.GetApplied())

	stream, err := s.rates.ImportRates(t.Context(), &operatorsv1.ImportRatesRequest{
		OperatorId: "0190a8f0-0000-7000-8000-00000000ffff", Scope: operatorsv1.DeckScope_DECK_SCOPE_PARTIAL, Deck: []byte("prefix,price,currency\n44,0.02,EUR\n"),
	})
	require.NoError(t, err)
	for stream.Receive() {
		require.Nil(t, stream.Msg().GetResult())
	}
	require.Equal(t, "not_found NO_SUCH_OPERATOR", reason(t, stream.Err()))
	stream, err = s.rates.ImportRates(t.Context(), &operatorsv1.ImportRatesRequest{
		OperatorId: o.GetOperatorId(), Scope: operatorsv1.DeckScope_DECK_SCOPE_PARTIAL, DefaultCurrency: "XXX", Deck: []byte("x"),
	})
	require.NoError(t, err)
	require.False(t, stream.Receive())
	require.Equal(t, "invalid_argument VALIDATION_FAILED", reason(t, stream.Err()))
}

func TestASecondImportIsShed(t *testing.T) {
	s, ctx := serve(t), t.Context()
	o := s.create(t, alpha())
	first := make(chan error, 1)
	go func() {
		stream, err := s.rates.ImportRates(ctx, &operatorsv1.ImportRatesRequest{
			OperatorId: o.GetOperatorId(), Scope: operatorsv1.DeckScope_DECK_SCOPE_FULL, Format: operatorsv1.DeckFormat_DECK_FORMAT_XLSX, Deck: []byte("PK no workbook"),
		})
		if err == nil {
			for stream.Receive() { // only its end matters
			}
			err = stream.Err()
		}
		first <- err
	}()
	<-s.held.running
	stream, err := s.operators.ImportOperators(ctx, &operatorsv1.ImportOperatorsRequest{Csv: []byte("x")})
	require.NoError(t, err)
	require.False(t, stream.Receive())
	require.Equal(t, "resource_exhausted "+operators.ReasonImportRunning, reason(t, stream.Err()))
	close(s.held.gate)
	require.Equal(t, connect.CodeInvalidArgument, connect.CodeOf(<-first), "it is no workbook")
}

func TestFilesOfOperatorsAndRulesAreImported(t *testing.T) {
	s, ctx := serve(t), t.Context()
	csv := "name,host,port,system_id,bind_type,max_tps,message_types,status\nAlpha,a.example,1,a,TRANSCEIVER,1,SMS,ACTIVE\n"
	stream, err := s.operators.ImportOperators(ctx, &operatorsv1.ImportOperatorsRequest{Csv: []byte(csv), RequestId: "o-1"})
	message, _ := last(t, stream, err)
	require.EqualValues(t, 1, message.GetResult().GetCreated())
	require.Equal(t, "NO_CREDENTIALS", message.GetResult().GetWarnings()[0].GetReason(), "it is active and has no password")
	rules := "account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency\n,+44,GB,,COST,,Alpha,1,,,\n"
	refused, err := s.rules.ImportRoutingRules(ctx, &operatorsv1.ImportRoutingRulesRequest{Csv: []byte(rules)})
	result, _ := last(t, refused, err)
	require.EqualValues(t, 1, result.GetResult().GetBadLineCount(), "a COST rule without a price")
	require.False(t, result.GetResult().GetApplied())
}

func TestExchangeRatesAreReplacedAsAWhole(t *testing.T) {
	s, ctx := serve(t), t.Context()
	set := func(rates ...*operatorsv1.FxRate) error {
		_, err := s.rates.SetFxRates(ctx, &operatorsv1.SetFxRatesRequest{FxRates: rates})
		return err
	}
	eur, usd := &operatorsv1.FxRate{CurrencyCode: "EUR", RateNanos: 1_000_000_000}, &operatorsv1.FxRate{CurrencyCode: "USD", RateNanos: 920_000_000}
	require.NoError(t, set(usd, eur))
	list, err := s.rates.ListFxRates(ctx, &operatorsv1.ListFxRatesRequest{})
	require.NoError(t, err)
	require.Len(t, list.GetFxRates(), 2)
	require.Equal(t, "EUR", list.GetFxRates()[0].GetCurrencyCode())
	for name, err := range map[string]error{
		"no base":             set(usd),
		"a currency twice":    set(eur, eur),
		"a currency of none":  set(eur, &operatorsv1.FxRate{CurrencyCode: "XXX", RateNanos: 1}),
		"a worth of nothing":  set(eur, &operatorsv1.FxRate{CurrencyCode: "USD"}),
		"an empty table":      set(),
		"two bases":           set(eur, &operatorsv1.FxRate{CurrencyCode: "USD", RateNanos: 1_000_000_000}),
		"letters that are no": set(&operatorsv1.FxRate{CurrencyCode: "eu", RateNanos: 1}),
	} {
		require.Equal(t, "invalid_argument VALIDATION_FAILED", reason(t, err), name)
	}
	status, err := s.outbox.GetOutboxStatus(ctx, &operatorsv1.GetOutboxStatusRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 1, status.GetPending(), "nobody relays here")
	require.NotNil(t, status.GetOldest())
}
