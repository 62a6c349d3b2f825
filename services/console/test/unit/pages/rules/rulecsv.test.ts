import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { RuleCandidateSchema } from "@gen/operators/v1/routing_rule_pb";
import { MessageType, OnExhausted, RoutingStrategy } from "@gen/routing/v1/types_pb";
import { describe, expect, it } from "vitest";
import { header, lossy, rulesCsv } from "../../../../src/pages/rules/rulecsv";
import { account, north, rule, south } from "./make";

/** The lines after the header. */
function lines(...rules: Parameters<typeof rulesCsv>[0] extends Iterable<infer R> ? R[] : never): string[] {
  const [head, ...rest] = rulesCsv(rules).split("\r\n");
  expect(head).toBe(header);
  expect(rest.pop()).toBe("");
  return rest;
}

function named(operatorName: string): string | undefined {
  return lines(rule({ candidates: [{ operatorId: north, operatorName, priority: 1 }] }))[0];
}

describe("a file of rules", () => {
  it("has the header of the importer", () => {
    expect(header).toBe("account,prefix,country,message_types,strategy,on_exhausted,operator,priority,weight,price,currency");
  });

  it("has a line for each candidate, in the order of the rule", () => {
    const all = lines(
      rule({
        accountId: account,
        prefix: "+447",
        messageTypes: [MessageType.WAP, MessageType.SMS],
        strategy: RoutingStrategy.COST,
        onExhausted: OnExhausted.FALL_THROUGH,
        candidates: [
          { operatorId: north, operatorName: "North", priority: 1, weight: 0, price: { currencyCode: "EUR", nanos: 12_500_000n } },
          { operatorId: south, operatorName: "South", priority: 2, weight: 70 },
        ],
      }),
      rule({ prefix: "+1", country: "" }),
    );
    expect(all).toEqual([
      `${account},"+447",GB,SMS|WAP,COST,FALL_THROUGH,North,1,0,0.0125,EUR`,
      `${account},"+447",GB,SMS|WAP,COST,FALL_THROUGH,South,2,70,,`,
      `,"+1",,,PRIORITY,FAIL,North,1,100,,`,
    ]);
  });

  it.each([
    ["a price of nothing is a price", 0n, "0,EUR"],
    ["a price keeps its billionths", 1n, "0.000000001,EUR"],
    ["a price is never rounded", 9_223_372_036_854_775_807n, "9223372036.854775807,EUR"],
    ["a whole price has no point", 2_000_000_000n, "2,EUR"],
  ])("%s", (_, nanos, end) => {
    const [line] = lines(rule({ candidates: [{ operatorId: north, operatorName: "North", priority: 1, price: { currencyCode: "EUR", nanos } }] }));
    expect(line?.endsWith(`,100,${end}`)).toBe(true);
  });

  it.each([
    ["a plain name stays", "North", "North"],
    ["a name that a spreadsheet would run gets an apostrophe", "=1+1", "'=1+1"],
    ["so does one with a sign", "-North", "'-North"],
    ["so does one that looks as if it had got one", "'=1", "''=1"],
    ["an apostrophe of its own stays", "'North", "'North"],
    ["commas and quotes are quoted", 'North, "the best"', '"North, ""the best"""'],
    ["an operator without a name is called by its id", "", north],
  ])("%s", (_, name, cell) => {
    expect(named(name)).toBe(`,"+44",GB,,PRIORITY,FAIL,${cell},1,100,,`);
  });

  it("cannot say that a rule is switched off or limited in time", () => {
    const moment = timestampFromDate(new Date(0));
    expect([rule(), rule({ active: false }), rule({ validFrom: moment }), rule({ validTo: moment })].map(lossy)).toEqual([false, true, true, true]);
  });

  it("writes the weight that the server means when there is none", () => {
    const candidate = create(RuleCandidateSchema, { operatorId: north, operatorName: "North", priority: 3 });
    expect(lines(rule({ candidates: [candidate] }))).toEqual([`,"+44",GB,,PRIORITY,FAIL,North,3,100,,`]);
  });
});
