import { SuspendOperatorRequestSchema } from "@gen/operators/v1/operator_pb";
import { describe, expect, it } from "vitest";
import { RequestIds } from "../../../src/parts/requestid";

function numbered(): () => string {
  let count = 0;
  return () => `id-${String((count += 1))}`;
}

describe("request ids", () => {
  it("of two inputs that are under way at once are both kept", () => {
    const ids = new RequestIds(SuspendOperatorRequestSchema, 8, numbered());
    const first = ids.give({ operatorId: "a" });
    const second = ids.give({ operatorId: "b" });
    expect([first.requestId, second.requestId]).toEqual(["id-1", "id-2"]);
    expect(ids.give({ operatorId: "a" }).requestId).toBe("id-1");
    ids.done(first);
    expect(ids.give({ operatorId: "b" }).requestId).toBe("id-2");
    expect(ids.give({ operatorId: "a" }).requestId).toBe("id-3");
  });

  it("are forgotten when many more have come, the one unused for the longest time first", () => {
    const ids = new RequestIds(SuspendOperatorRequestSchema, 2, numbered());
    ids.give({ operatorId: "a" });
    ids.give({ operatorId: "b" });
    ids.give({ operatorId: "a" });
    ids.give({ operatorId: "c" });
    expect(ids.give({ operatorId: "a" }).requestId).toBe("id-1");
    expect(ids.give({ operatorId: "b" }).requestId).toBe("id-4");
  });
});
