import { Code } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import type { Problem } from "../../../src/api/errors";
import { pathsOf, violated } from "../../../src/parts/fields";

const problem = (...fields: string[]): Problem => ({
  title: "t",
  message: "m",
  code: Code.InvalidArgument,
  reason: "",
  violations: fields.map((field) => ({ field, message: `bad ${field}` })),
});

describe("violations", () => {
  const known = pathsOf({ name: "", tpsLimit: { maxTps: "" }, candidates: [{ price: { amount: "", currency: "" } }] });

  it("go to the fields of the form", () => {
    const { errors, rest } = violated(problem("operator.name", "operator.tps_limit.max_tps"), { root: "operator", known });
    expect(errors).toEqual({ name: "bad operator.name", "tpsLimit.maxTps": "bad operator.tps_limit.max_tps" });
    expect(rest).toEqual([]);
  });

  it("go to the field that holds them, in lists too", () => {
    const { errors } = violated(problem("rule.candidates[0].price.currency_code"), { root: "rule", known });
    expect(Object.keys(errors)).toEqual(["candidates.0.price"]);
  });

  it("are kept when no field shows them", () => {
    const { errors, rest } = violated(problem("operator.host", "request_id"), { root: "operator", known });
    expect(errors).toEqual({});
    expect(rest.map((one) => one.field)).toEqual(["operator.host", "request_id"]);
  });

  it("follow another name where the form has one, in JSON names too, as the server gives them", () => {
    const flat = pathsOf({ name: "", maxTps: "" });
    const paths = { "tps_limit.max_tps": "maxTps" };
    expect(violated(problem("operator.tpsLimit.maxTps"), { root: "operator", paths, known: flat })).toEqual({ errors: { maxTps: "bad operator.tpsLimit.maxTps" }, rest: [] });
    expect(violated(problem("operator.tps_limit.max_tps"), { root: "operator", paths, known: flat }).errors).toHaveProperty("maxTps");
    expect(violated(problem("operator.system_id"), { root: "operator", paths: { system_id: "name" }, known }).errors).toHaveProperty("name");
  });
});
