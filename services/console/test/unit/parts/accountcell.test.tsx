import { createRouterTransport } from "@connectrpc/connect";
import { AccountService } from "@gen/access/v1/account_service_pb";
import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { AccountCell } from "../../../src/parts/accountcell";
import { show } from "./stage";

const gone = "0190a8f0-0000-7000-8000-0000000000ff";
const transport = createRouterTransport(({ service }) => {
  service(AccountService, { listAccounts: () => ({ accounts: [{ accountId: "a", name: "Acme" }] }) });
});

it.each([
  ["an account is told by its name", "a", "Acme", "Acme, a"],
  ["one without a name by the end of its id, which tells it from others of that minute", gone, "…000000ff", gone],
])("%s", async (_, id, text, title) => {
  show(<AccountCell id={id} none="–" />, { transport });
  expect((await screen.findByText(text, undefined, { timeout: 15_000 })).title).toBe(title);
});

it("no account is told as the table says", () => {
  show(<AccountCell id="" none="All accounts" />, { transport });
  expect(document.body.textContent).toContain("All accounts");
});
