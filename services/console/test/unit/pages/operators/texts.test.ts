import { create } from "@bufbuild/protobuf";
import { BindType, OperatorSchema, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { RoutingRuleSchema } from "@gen/operators/v1/routing_rule_pb";
import { SummarizeDecisionsResponseSchema } from "@gen/routing/v1/decision_pb";
import { MessageType, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { statuses, valuesIn } from "../../../../src/pages/operators/columns";
import { guard, operatorsCsv } from "../../../../src/pages/operators/exportcsv";
import { errorsText } from "../../../../src/pages/operators/healthtab";
import { prefixOf } from "../../../../src/pages/operators/ratestab";
import { addressOf } from "../../../../src/pages/operators/rows";
import { placeOf } from "../../../../src/pages/operators/rulestab";
import { shareOf } from "../../../../src/pages/operators/share";

describe("the exported file", () => {
  it("is what the importer reads", () => {
    const operator = create(OperatorSchema, {
      name: 'Acme, "the" first', host: "a.example", port: 2775, systemId: "acme", bindType: BindType.TRANSMITTER, tpsLimit: { maxTps: 100 },
      messageTypes: [MessageType.SMS, MessageType.WAP], status: OperatorStatus.SUSPENDED,
    });
    expect(operatorsCsv([operator])).toBe(
      'name,host,port,system_id,bind_type,max_tps,message_types,status\r\n"Acme, ""the"" first",a.example,2775,acme,TRANSMITTER,100,SMS|WAP,SUSPENDED\r\n',
    );
  });

  it.each([
    ["a plain text stays", "Acme", "Acme"],
    ["a formula is guarded", "=1+1", "'=1+1"],
    ["a plus is guarded, and the importer takes the guard away", "+49", "'+49"],
    ["an apostrophe alone stays", "'Acme", "'Acme"],
    ["what looks guarded is guarded once more, to be read back as it is", "'=1", "''=1"],
  ])("%s", (_, text, guarded) => {
    expect(guard(text)).toBe(guarded);
  });
});

describe("what the page says", () => {
  it("puts brackets around an IPv6 address", () => {
    expect(addressOf({ host: "2001:db8::7", port: 2775 })).toBe("[2001:db8::7]:2775");
    expect(addressOf({ host: "a.example", port: 1 })).toBe("a.example:1");
  });
  it("drops filters that it does not know", () => {
    expect(valuesIn(["active", "gone"], statuses)).toEqual([OperatorStatus.ACTIVE]);
  });
  it.each([
    ["digits", "4479", "+4479"],
    ["a plus and spaces", "+44 79", "+4479"],
    ["an exit code", "004479", "+4479"],
    ["words", "abc", ""],
    ["a leading zero", "0791", ""],
    ["too many digits", "4".repeat(16), ""],
  ])("reads a prefix from %s", (_, text, prefix) => {
    expect(prefixOf(text)).toBe(prefix);
  });
  it("gives errors as a share, and nothing where no rate decided", () => {
    expect(errorsText({ submits: 200n, errors: 12n })).toBe("12 of 200, 6.0 %");
    expect(errorsText({ submits: 0n, errors: 0n })).toBe("–");
  });
  it("tells the part of an operator in a rule by its strategy", () => {
    const candidates = [{ operatorId: "a", priority: 2, weight: 30 }, { operatorId: "b", priority: 1 }, { operatorId: "c", priority: 3, weight: 0 }];
    const rule = (strategy: RoutingStrategy) => create(RoutingRuleSchema, { strategy, candidates });
    expect(placeOf(rule(RoutingStrategy.FAILOVER), "a")).toBe("priority 2, one of 3");
    expect(placeOf(rule(RoutingStrategy.WEIGHTED), "a")).toBe("weight 30 of 130");
    expect(placeOf(rule(RoutingStrategy.WEIGHTED), "c")).toBe("last resort");
    expect(placeOf(rule(RoutingStrategy.COST), "a")).toBe("one of 3");
  });
  it("counts the share over all intervals", () => {
    const summaries = [{ group: "a", decisionCount: 1n }, { group: "b", decisionCount: 2n }, { group: "a", decisionCount: 3n }, { group: "", decisionCount: 4n }];
    expect(shareOf(create(SummarizeDecisionsResponseSchema, { summaries }), "a")).toEqual({ own: 4n, all: 10n });
  });
});
