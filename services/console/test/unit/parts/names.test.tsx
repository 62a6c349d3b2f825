import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { AccountName, OperatorName } from "../../../src/parts/names";
import { AccountSelect, OperatorSelect } from "../../../src/parts/select";
import { show } from "./stage";

const gone = "0190a8f0-0000-7000-8000-0000000000ff";

/** North and a deleted South on the first page, East on the second. */
function server(asked: string[] = []): Transport {
  return createRouterTransport(({ service }) => {
    service(OperatorService, {
      listOperators: ({ pageToken, showDeleted }) => {
        asked.push(`${pageToken} ${showDeleted ? "all" : "live"}`);
        if (pageToken !== "") return { operators: [{ operatorId: "e", name: "East" }] };
        return { operators: [{ operatorId: "n", name: "North" }, { operatorId: "s", name: "South", deleteTime: { seconds: 1n } }], nextPageToken: "more" };
      },
    });
    service(AccountService, { listAccounts: () => ({ accounts: [{ accountId: "a", name: "Acme" }] }) });
  });
}

describe("a name", () => {
  it("is found on any page, of what was deleted too, by one list for all", async () => {
    const asked: string[] = [];
    show(<>{["n", "s", "e"].map((id) => <OperatorName key={id} id={id} />)}</>, { transport: server(asked) });
    for (const name of ["North", "South", "East"]) await waitFor(() => expect(screen.queryByText(name)).not.toBeNull());
    expect(asked).toEqual([" all", "more all"]);
  });

  it("leads to its page, unless it is within a link already", async () => {
    show(
      <>
        <OperatorName id="n" />
        <OperatorName id="e" link={false} />
        <AccountName id="a" />
      </>,
      { transport: server() },
    );
    expect((await screen.findByText("North")).closest("a")?.getAttribute("href")).toBe("/operators/n");
    expect((await screen.findByText("Acme")).closest("a")?.getAttribute("href")).toBe("/access?account=a");
    expect((await screen.findByText("East")).closest("a")).toBeNull();
  });

  it("that nobody knows is the id", async () => {
    show(<>{[<OperatorName key="n" id="n" />, <OperatorName key="gone" id={gone} />]}</>, { transport: server() });
    await screen.findByText("North");
    expect(document.body.textContent).toContain(`…${gone.slice(-8)}`);
  });

  it("of nothing says so", () => {
    show(<>{[<OperatorName key="o" id="" />, <AccountName key="a" id="" />]}</>, { transport: server() });
    expect(screen.queryByLabelText("no operator")).not.toBeNull();
    expect(screen.queryByText("Global")).not.toBeNull();
  });
});

function Choice({ initial = "", ...rest }: { readonly initial?: string; readonly except?: readonly string[]; readonly clearable?: boolean }) {
  const [id, setId] = useState(initial);
  return (
    <>
      <OperatorSelect label="Operator" value={id} onChange={setId} {...rest} />
      <output>{id === "" ? "none" : id}</output>
    </>
  );
}

const box = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>("Operator", { selector: "input" });
const chosen = (): string | null | undefined => document.querySelector("output")?.textContent;
const offered = (): (string | null)[] => [...document.querySelectorAll("[role=option]")].map((one) => one.textContent);

describe("a choice of an operator", () => {
  it("offers those that live, and finds them by a part of the name", async () => {
    show(<Choice />, { transport: server() });
    fireEvent.click(box());
    await screen.findByText("North");
    expect(offered()).toEqual(["North", "East"]);
    await userEvent.type(box(), "eas");
    expect(offered()).toEqual(["East"]);
    fireEvent.click(screen.getByText("East"));
    expect(chosen()).toBe("e");
  });

  it("leaves out what must not be chosen, but keeps what is", async () => {
    show(<Choice initial="n" except={["n", "e"]} />, { transport: server() });
    expect(await screen.findByDisplayValue("North")).toBe(box());
    fireEvent.click(box());
    expect(offered()).toEqual(["North"]);
  });

  it("keeps one that was deleted, by its name", async () => {
    show(<Choice initial="s" />, { transport: server() });
    expect(await screen.findByDisplayValue("South")).toBe(box());
    expect(chosen()).toBe("s");
  });

  it("is not given up by choosing the same again", async () => {
    show(<Choice initial="n" />, { transport: server() });
    await screen.findByDisplayValue("North");
    fireEvent.click(box());
    fireEvent.click(await screen.findByRole("option", { name: "North", hidden: true }));
    expect(chosen()).toBe("n");
  });

  it("can be given up where it may be none", async () => {
    show(<Choice initial="n" clearable />, { transport: server() });
    await screen.findByDisplayValue("North");
    fireEvent.click(screen.getByLabelText("Clear operator"));
    expect(chosen()).toBe("none");
  });

  it("says when there is none of that name", async () => {
    show(<Choice />, { transport: server() });
    fireEvent.click(box());
    await screen.findByText("North");
    await userEvent.type(box(), "w");
    await waitFor(() => expect(screen.queryByText("No operator of that name")).not.toBeNull());
  });
});

describe("a choice of an account", () => {
  it("may have its label within, for a row of filters", async () => {
    show(<AccountSelect label="Account" value="" onChange={() => undefined} bare />, { transport: server() });
    fireEvent.click(screen.getByPlaceholderText("Account"));
    await waitFor(() => expect(screen.queryByText("Acme")).not.toBeNull());
  });
});
