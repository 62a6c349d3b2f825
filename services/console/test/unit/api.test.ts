import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { callTimeout, createApi } from "../../src/api.js";

describe("the clients", () => {
  it("send JSON with a deadline", async () => {
    let seen: Request | undefined;
    const api = createApi("http://server.example", (input, init) => {
      seen = new Request(input, init);
      return Promise.resolve(Response.json({ nextPageToken: "more" }));
    });
    const page = await api.operators.listOperators({ pageSize: 5 });
    expect(page.nextPageToken).toBe("more");
    expect(seen?.url).toBe("http://server.example/trunkline.operators.v1.OperatorService/ListOperators");
    expect(seen?.headers.get("content-type")).toBe("application/json");
    expect(seen?.headers.get("connect-timeout-ms")).toBe(String(callTimeout));
    expect(await seen?.json()).toEqual({ pageSize: 5 });
  });

  it("turn an error of the server into a ConnectError", async () => {
    const api = createApi("http://server.example", () =>
      Promise.resolve(Response.json({ code: "not_found", message: "no rule" }, { status: 404 })),
    );
    const failure = await api.routing.selectOperator({}).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(ConnectError);
    expect((failure as ConnectError).code).toBe(Code.NotFound);
    expect((failure as ConnectError).rawMessage).toBe("no rule");
  });
});
