import { Code, ConnectError } from "@connectrpc/connect";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { describe as suite, expect, it } from "vitest";
import { errorDetails } from "../../../src/api/errordetails";
import { describe, passing } from "../../../src/api/errors";

function message(...fields: [number, string | Uint8Array][]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [no, value] of fields) {
    writer.tag(no, WireType.LengthDelimited);
    if (typeof value === "string") writer.string(value);
    else writer.bytes(value);
  }
  return writer.finish();
}

function refusal(code: Code, ...details: { type: string; value: Uint8Array }[]): ConnectError {
  const error = new ConnectError("the port must be from 1 to 65535", code, { "x-request-id": "r-1" });
  error.details = details;
  return error;
}

suite("an error in words", () => {
  it("has the reason, the fields at fault, the wait and the request of a refusal", () => {
    const duration = new BinaryWriter().tag(1, WireType.Varint).int64(7).finish();
    const problem = describe(
      refusal(
        Code.InvalidArgument,
        { type: "google.rpc.ErrorInfo", value: message([1, "INVALID_OPERATOR"], [2, "trunkline"]) },
        { type: "google.rpc.BadRequest", value: message([1, message([1, "operator.port"], [2, "too large"])], [1, message([1, "operator.name"], [2, "missing"])]) },
        { type: "google.rpc.RetryInfo", value: message([1, duration]) },
      ),
    );
    expect(problem).toMatchObject({
      title: "Something is not right yet",
      message: "the port must be from 1 to 65535",
      reason: "INVALID_OPERATOR",
      violations: [
        { field: "operator.port", message: "too large" },
        { field: "operator.name", message: "missing" },
      ],
      retryAfterSeconds: 7,
      requestId: "r-1",
    });
  });

  it("is still one when a detail cannot be read", () => {
    const problem = describe(refusal(Code.NotFound, { type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, 0x7f, 1]) }));
    expect(problem).toMatchObject({ title: "Not found", reason: "", violations: [] });
  });

  it("does not show what a browser says of a broken network", () => {
    const { message: text } = describe(new TypeError("Failed to fetch"));
    expect(text).toBe("The server cannot be reached. Check the network, then try again.");
  });

  it("is not tried again when a search would look at too many decisions", () => {
    const error = refusal(Code.DeadlineExceeded, { type: "google.rpc.ErrorInfo", value: message([1, "TOO_MANY_DECISIONS"]) });
    expect(passing(error)).toBe(false);
  });

  it("has what else is told of its reason", () => {
    const error = refusal(Code.AlreadyExists, { type: "google.rpc.ErrorInfo", value: message([1, "DUPLICATE_RULE"], [3, message([1, "rule_id"], [2, "r1"])]) });
    expect(errorDetails(error).metadata).toEqual({ rule_id: "r1" });
  });

  it.each([
    [Code.Unavailable, true],
    [Code.DeadlineExceeded, true],
    [Code.PermissionDenied, false],
    [Code.InvalidArgument, false],
    [Code.ResourceExhausted, true],
  ])("of code %i is tried again: %s", (code, again) => {
    expect(passing(new ConnectError("no", code))).toBe(again);
  });
});
