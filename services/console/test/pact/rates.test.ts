import { Code } from "@connectrpc/connect";
import { MessageType } from "@gen/routing/v1/types_pb.js";
import { describe, expect, it } from "vitest";
import { badRequest, errorInfo, failure, interaction, like, refused, regex, said, sentence } from "./kit.js";
import { exist, globalRule, north, provider, rateId, rated, requestId, ruleId, ruled, south } from "./management.js";

const service = "trunkline.operators.v1.RateService";
const { operatorId } = north;

const rate = {
  rateId,
  operatorId,
  prefix: "+44770",
  mcc: "234",
  mnc: "01",
  messageType: "MESSAGE_TYPE_SMS",
  price: { currencyCode: "EUR", nanos: "12500000" },
  effectiveFrom: "2026-01-01T00:00:00Z",
  effectiveTo: "2099-01-01T00:00:00Z",
};

const later = { ...rate, rateId: "0190a8f0-0000-7000-8000-0000000000bb", effectiveFrom: "2099-01-01T00:00:00Z" };
const { effectiveTo: _, ...endless } = later;

const base = { currencyCode: "EUR", rateNanos: "1000000000" };

/** Candidates with prices that have no order without an exchange rate. */
const mixed = [north, south].map(({ operatorId }, i) => ({
  operatorId,
  priority: i + 1,
  price: { currencyCode: i === 0 ? "EUR" : "USD", nanos: "12500000" },
}));

const table = [
  base,
  { currencyCode: "USD", rateNanos: "900000000" },
];

const decodedTable = [
  { currencyCode: "EUR", rateNanos: 1_000_000_000n },
  { currencyCode: "USD", rateNanos: 900_000_000n },
];

// ImportRates answers with a stream, whose envelopes are no JSON body; so it is in no pact.
describe("the rates", () => {
  it("are shown by operator, prefix and moment", () =>
    interaction(
      {
        provider,
        name: "the rates of an operator in force at a moment",
        states: [exist([north]), rated(rate, endless)],
        procedure: `${service}/ListRates`,
        request: { operatorId, prefix: "+447", inForceAt: "2026-11-21T12:00:00Z" },
        response: { rates: [rate] },
      },
      async (api) => {
        const got = await api.rates.listRates({ operatorId, prefix: "+447", inForceAt: { seconds: 1795262400n } });
        expect(got.nextPageToken).toBe("");
        expect(got.freshness).toBeUndefined();
        expect(got.rates).toMatchObject([
          {
            rateId,
            operatorId,
            prefix: "+44770",
            mcc: "234",
            mnc: "01",
            messageType: MessageType.SMS,
            price: { currencyCode: "EUR", nanos: 12500000n },
            effectiveFrom: { seconds: 1767225600n },
            effectiveTo: { seconds: 4070908800n },
          },
        ]);
      },
    ));

  it("are read in pages", () =>
    interaction(
      {
        provider,
        name: "the first page of the rates",
        states: [exist([north]), rated(rate, endless)],
        procedure: `${service}/ListRates`,
        request: { pageSize: 1 },
        response: { rates: [rate], nextPageToken: regex(/^.{1,512}$/, "more") },
      },
      async (api) => {
        const got = await api.rates.listRates({ pageSize: 1 });
        expect(got.rates).toHaveLength(1);
        expect(got.nextPageToken).toBe("more");
      },
    ));
});

describe("the exchange rates", () => {
  it("are shown", () =>
    interaction(
      {
        provider,
        name: "the exchange rates",
        states: [{ name: "exchange rates exist", parameters: { fxRates: table } }],
        procedure: `${service}/ListFxRates`,
        request: {},
        response: { fxRates: table },
      },
      async (api) => {
        expect((await api.rates.listFxRates({})).fxRates).toMatchObject(decodedTable);
      },
    ));

  it("are replaced", () =>
    interaction(
      {
        provider,
        name: "other exchange rates",
        states: [],
        procedure: `${service}/SetFxRates`,
        request: { fxRates: table, requestId },
        response: { fxRates: table },
      },
      async (api) => {
        const got = await api.rates.setFxRates({ fxRates: decodedTable, requestId });
        expect(got.fxRates).toMatchObject(decodedTable);
      },
    ));

  it("show which rules could not compare prices any more", () =>
    interaction(
      {
        provider,
        name: "the rehearsal of exchange rates without a currency that a routing rule compares",
        states: [
          exist([north, south]),
          { name: "exchange rates exist", parameters: { fxRates: table } },
          ruled({ ...globalRule, strategy: "ROUTING_STRATEGY_COST", candidates: mixed }),
        ],
        procedure: `${service}/SetFxRates`,
        request: { fxRates: [base], validateOnly: true },
        response: {
          fxRates: [base],
          warnings: [
            {
              severity: "FINDING_SEVERITY_WARNING",
              reason: "MIXED_CURRENCIES",
              message: like(sentence),
              ruleIds: [ruleId],
              witness: regex(/^\+44770[0-9]+$/, "+447700900123"),
            },
          ],
          warningCount: "1",
        },
      },
      async (api) => {
        const got = await api.rates.setFxRates({ fxRates: [{ currencyCode: "EUR", rateNanos: 1_000_000_000n }], validateOnly: true });
        expect(got.warnings).toMatchObject([{ reason: "MIXED_CURRENCIES", message: sentence, ruleIds: [ruleId] }]);
        expect(got.warningCount).toBe(1n);
      },
    ));

  it("need a base currency", () =>
    interaction(
      {
        provider,
        name: "exchange rates without base currency",
        states: [],
        procedure: `${service}/SetFxRates`,
        request: { fxRates: [{ currencyCode: "USD", rateNanos: "900000000" }], validateOnly: true },
        status: 400,
        response: refused(
          "invalid_argument",
          errorInfo("VALIDATION_FAILED"),
          badRequest({ field: "fxRates", example: "fxRates" }),
        ),
      },
      async (api) => {
        const e = await failure(api.rates.setFxRates({ fxRates: [{ currencyCode: "USD", rateNanos: 900_000_000n }], validateOnly: true }));
        expect([e.code, e.rawMessage]).toEqual([Code.InvalidArgument, sentence]);
        expect(said(e, "google.rpc.BadRequest")).toEqual({ fieldViolations: [{ field: "fxRates", description: "what is accepted" }] });
      },
    ));
});
