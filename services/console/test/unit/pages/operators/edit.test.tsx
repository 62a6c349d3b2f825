import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { BindState, Quality } from "@gen/events/v1/operator_health_event_pb";
import { type Operator, OperatorSchema, OperatorStatus } from "@gen/operators/v1/operator_pb";
import { fireEvent, screen } from "@testing-library/react";
import type { ReactElement } from "react";
import { describe, expect, it, vi } from "vitest";
import { CallerProvider, Role } from "../../../../src/api/caller";
import type { Problem } from "../../../../src/api/errors";
import { CheckLine } from "../../../../src/pages/operators/checkline";
import { EditDrawer } from "../../../../src/pages/operators/edit";
import { bindText, qualityText } from "../../../../src/pages/operators/standing";
import { operatorServer, show } from "../../parts/stage";

// Room for a loaded machine.
vi.setConfig({ testTimeout: 60_000 });
const patience = { timeout: 30_000 };

// Text areas that grow wait for fonts, of which jsdom knows nothing.
Object.defineProperty(document, "fonts", { value: new EventTarget(), configurable: true });

const me = "key:47fe8b5b-0000-7000-8000-000000000001";
const taken = "The server would take this.";

function operator(version: bigint, updatedBy: string): Operator {
  return create(OperatorSchema, {
    operatorId: "0190c0de-0000-7000-8000-000000000001", name: "Acme", host: "smpp.acme.example", port: 2775, systemId: "acme", bindType: 3,
    tpsLimit: { maxTps: 100, burstMultiplier: 1.5, enforcementMode: 1 }, messageTypes: [1], status: OperatorStatus.ACTIVE, version, etag: `etag ${String(version)}`, updatedBy,
  });
}

describe("an edit while somebody saves", () => {
  it.each([
    ["another one is named", "key:9ba55d80-0000-7000-8000-000000000002", "key 9ba55d80 changed this operator since you opened it here."],
    ["another place of one's own is told as such", me, "You changed this operator in another place since you opened it here."],
  ])("%s, and the server is no longer said to take it", async (_, updatedBy, told) => {
    const asked: string[] = [];
    const transport = operatorServer({
      updateOperator: (request) => {
        asked.push(`${request.operator?.etag ?? ""}${request.validateOnly ? ", to check" : ""}`);
        return {};
      },
      listOperators: () => ({}),
    });
    const page = (one: Operator): ReactElement => (
      <CallerProvider value={{ name: me, role: Role.OPERATOR, accountId: "" }}>
        <EditDrawer opened onClose={() => undefined} operator={one} />
      </CallerProvider>
    );
    const { rerender } = show(page(operator(1n, "system")), { transport });
    fireEvent.change(await screen.findByLabelText(/^TPS limit/, {}, patience), { target: { value: "60" } });
    expect(await screen.findByText(taken, {}, patience)).toBeTruthy();
    expect(asked).toEqual(["etag 1, to check"]);

    rerender(page(operator(2n, updatedBy)));
    expect(screen.getByRole("note").textContent).toBe(`${told} Saving shows both versions.`);
    expect(screen.queryByText(taken)).toBeNull();
  });
});

describe("the line of the check", () => {
  const problem = (code: Code, reason: string, message: string): Problem => ({ code, reason, message, title: "Refused", violations: [] });

  it.each([
    ["a change that came between is told with what saving does", problem(Code.Aborted, "ETAG_MISMATCH", "Read it again."), /^It was changed since you opened it\. Saving shows both versions\.$/],
    ["a twin is told above the form", problem(Code.AlreadyExists, "DUPLICATE_OPERATOR", "There is one."), /^Another operator is in the way\.$/],
    ["all else is told as the server says it", problem(Code.FailedPrecondition, "IN_USE", "It is in use."), /^It is in use\.$/],
  ])("%s", (_, refused, text) => {
    show(<CheckLine checked={{ state: "refused", problem: refused }} fine={taken} />);
    expect(screen.getByRole("status").textContent).toMatch(text);
  });
});

describe("the words beside the name", () => {
  it.each([
    ["a bind that nobody told says of what it is", bindText(BindState.UNSPECIFIED), "Bind unknown"],
    ["a quality that nobody told says of what it is", qualityText(Quality.UNSPECIFIED), "Quality unknown"],
    ["a bind is told by its word", bindText(BindState.UNBOUND), "Unbound"],
    ["a quality is told by its word", qualityText(Quality.DEGRADED), "Degraded"],
  ])("%s", (_, text, word) => {
    expect(text).toBe(word);
  });
});
