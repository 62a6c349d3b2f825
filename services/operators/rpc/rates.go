package rpc

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"connectrpc.com/connect"

	operatorsv1 "trunkline/gen/go/trunkline/operators/v1"
	"trunkline/gen/go/trunkline/operators/v1/operatorsv1connect"
	routingv1 "trunkline/gen/go/trunkline/routing/v1"
	"trunkline/services/operators"
	"trunkline/services/platform/e164"
	"trunkline/services/platform/fault"
	"trunkline/services/platform/money"
	"trunkline/services/platform/pagetoken"
)

// RateReader reads rates. The answer may come from a replica, and says so.
type RateReader interface {
	// ListRates gives rates in the order of their keys, and whether there are more.
	ListRates(ctx context.Context, filter operators.RateFilter) ([]operators.Rate, bool, operators.Freshness, error)
	// FX gives what each currency is worth.
	FX(ctx context.Context) (operators.FX, operators.Freshness, error)
}

// Rates serves RateService.
type Rates struct {
	reader   RateReader
	rules    *operators.RuleAdmin
	importer *operators.RateImporter
	one      *OneImport
}

var _ operatorsv1connect.RateServiceHandler = (*Rates)(nil)

// NewRates gives the handler of RateService.
func NewRates(reader RateReader, rules *operators.RuleAdmin, importer *operators.RateImporter, one *OneImport) *Rates {
	return &Rates{reader: reader, rules: rules, importer: importer, one: one}
}

// ImportRates stores the rate deck of one operator, or shows what it would change.
func (h *Rates) ImportRates(
	ctx context.Context, req *operatorsv1.ImportRatesRequest, stream *connect.ServerStream[operatorsv1.ImportRatesResponse],
) error {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return err
	}
	deck, err := fromDeck(req)
	if err != nil {
		return err
	}
	diff, err := runImport(ctx, h.one,
		func(p *operatorsv1.ImportProgress) error {
			return stream.Send(&operatorsv1.ImportRatesResponse{Step: &operatorsv1.ImportRatesResponse_Progress{Progress: p}})
		},
		func(ctx context.Context, progress func(done, total int64)) (operators.RateDiff, error) {
			return h.importer.ImportRates(ctx, r, deck, progress)
		})
	if err != nil {
		return err
	}
	return stream.Send(&operatorsv1.ImportRatesResponse{Step: &operatorsv1.ImportRatesResponse_Result{Result: toDiff(diff)}})
}

func fromDeck(req *operatorsv1.ImportRatesRequest) (deck operators.Deck, err error) {
	deck = operators.Deck{
		OperatorID: idOf(req.GetOperatorId()), File: req.GetDeck(), Format: operators.DeckFormat(req.GetFormat()),
		Scope: operators.DeckScope(req.GetScope()), Columns: req.GetColumns(), Sheet: req.GetSheet(),
		DefaultType: operators.SMS,
	}
	if set := fromMessageTypes([]routingv1.MessageType{req.GetDefaultMessageType()}); set != 0 {
		deck.DefaultType = set
	}
	if code := req.GetDefaultCurrency(); code != "" {
		if deck.DefaultCurrency, err = money.ParseCurrency(code); err != nil {
			return deck, invalidField("default_currency", err.Error())
		}
	}
	deck.EffectiveFrom, err = fromTime("effective_from", req.GetEffectiveFrom())
	return deck, err
}

func toDiff(d operators.RateDiff) *operatorsv1.RateDiff {
	out := &operatorsv1.RateDiff{
		NewCount: d.New, RaisedCount: d.Raised, LoweredCount: d.Lowered, EndedCount: d.Ended, CurrencyCount: d.Currency,
		UnchangedCount: d.Unchanged, BadLines: toBadLines(d.BadLines), BadLineCount: d.BadLineCount,
		Applied: d.Applied, ConfigVersion: d.ConfigVersion, Headers: d.Headers,
	}
	for _, c := range d.Changes {
		out.Changes = append(out.Changes, &operatorsv1.RateChange{
			Kind: operatorsv1.RateChangeKind(c.Kind), Prefix: c.Prefix.String(), MessageType: toMessageTypes(c.MessageType)[0],
			Before: toMoney(c.Before), After: toMoney(c.After), EffectiveFrom: toTime(c.EffectiveFrom), Line: c.Line,
		})
	}
	return out
}

// ListRates gives rates by operator and prefix, in pages.
func (h *Rates) ListRates(ctx context.Context, req *operatorsv1.ListRatesRequest) (*operatorsv1.ListRatesResponse, error) {
	filter := operators.RateFilter{OperatorID: idOf(req.GetOperatorId()), Limit: pagetoken.Size(req.GetPageSize())}
	var err error
	if filter.InForceAt, err = fromTime("in_force_at", req.GetInForceAt()); err != nil {
		return nil, err
	}
	if filter.Prefix, err = fromPrefix("prefix", req.GetPrefix()); err != nil {
		return nil, err
	}
	list, err := pagetoken.ListOf(operatorsv1connect.RateServiceListRatesProcedure, req)
	if err != nil {
		return nil, err
	}
	if filter.After, err = readRatePosition(list, req.GetPageToken()); err != nil {
		return nil, err
	}
	page, more, fresh, err := h.reader.ListRates(ctx, filter)
	if err != nil {
		return nil, err
	}
	response := &operatorsv1.ListRatesResponse{Freshness: toFreshness(fresh)}
	for _, r := range page {
		response.Rates = append(response.Rates, toRate(r))
	}
	if more {
		last := page[len(page)-1]
		response.NextPageToken = list.Write(last.OperatorID.String(), last.Prefix.String(), last.MessageType.String(), last.EffectiveFrom.Format(time.RFC3339Nano))
	}
	return response, nil
}

func readRatePosition(list pagetoken.List, token string) (*operators.RateKey, error) {
	position, err := list.Read(token, 4)
	if err != nil || position == nil {
		return nil, err
	}
	key := &operators.RateKey{OperatorID: idOf(position[0])}
	prefix, err1 := e164.ParsePrefix(position[1])
	types, err2 := operators.ParseMessageTypes(position[2])
	from, err3 := time.Parse(time.RFC3339Nano, position[3])
	if err1 != nil || err2 != nil || err3 != nil {
		return nil, pagetoken.Invalid()
	}
	key.Prefix, key.MessageType, key.EffectiveFrom = prefix, types, from
	return key, nil
}

func toRate(r operators.Rate) *operatorsv1.Rate {
	return &operatorsv1.Rate{
		RateId: r.ID.String(), OperatorId: r.OperatorID.String(), Prefix: r.Prefix.String(), Mcc: r.MCC, Mnc: r.MNC,
		MessageType: toMessageTypes(r.MessageType)[0], Price: toMoney(r.Price),
		EffectiveFrom: toTime(r.EffectiveFrom), EffectiveTo: toTime(r.EffectiveTo),
	}
}

// ListFxRates gives what each currency is worth.
func (h *Rates) ListFxRates(ctx context.Context, _ *operatorsv1.ListFxRatesRequest) (*operatorsv1.ListFxRatesResponse, error) {
	fx, fresh, err := h.reader.FX(ctx)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.ListFxRatesResponse{FxRates: toFX(fx), Freshness: toFreshness(fresh)}, nil
}

// SetFxRates replaces the table of what each currency is worth.
func (h *Rates) SetFxRates(ctx context.Context, req *operatorsv1.SetFxRatesRequest) (*operatorsv1.SetFxRatesResponse, error) {
	r, err := requestOf(ctx, req, req.GetValidateOnly())
	if err != nil {
		return nil, err
	}
	fx := make(operators.FX, len(req.GetFxRates()))
	for i, one := range req.GetFxRates() {
		field := "fx_rates[" + strconv.Itoa(i) + "].currency_code"
		currency, err := money.ParseCurrency(one.GetCurrencyCode())
		if err != nil {
			return nil, invalidField(field, err.Error())
		}
		if _, twice := fx[currency]; twice {
			return nil, invalidField(field, "must not be given twice")
		}
		fx[currency] = one.GetRateNanos()
	}
	stored, report, err := h.rules.SetFX(ctx, r, fx)
	if err != nil {
		return nil, err
	}
	return &operatorsv1.SetFxRatesResponse{
		FxRates: toFX(stored), Warnings: toFindings(report.Findings), WarningCount: int64(report.Warnings),
	}, nil
}

func toFX(fx operators.FX) []*operatorsv1.FxRate {
	byCode := func(a, b money.Currency) int { return strings.Compare(a.String(), b.String()) }
	out := make([]*operatorsv1.FxRate, 0, len(fx))
	for _, currency := range slices.SortedFunc(maps.Keys(fx), byCode) {
		out = append(out, &operatorsv1.FxRate{CurrencyCode: currency.String(), RateNanos: fx[currency]})
	}
	return out
}

func invalidField(field, problem string) error {
	return fault.Invalid(operators.ReasonInvalid, fault.Violation{Field: field, Description: problem})
}

// fromPrefix reads a prefix that may be empty.
func fromPrefix(field, text string) (e164.Prefix, error) {
	if text == "" {
		return "", nil
	}
	prefix, err := e164.ParsePrefix(text)
	if err != nil {
		return "", invalidField(field, err.Error())
	}
	return prefix, nil
}
