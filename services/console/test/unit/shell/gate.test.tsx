import { Code, ConnectError, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { CallerService } from "@gen/access/v1/caller_service_pb";
import { Role } from "@gen/options/v1/access_pb";
import { Drawer, MantineProvider } from "@mantine/core";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ReactNode, useState } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { refused, signIn, signOut } from "../../../src/api/session";
import { SettingsContext } from "../../../src/api/settings";
import { Gate } from "../../../src/shell/gate";

/** A form in a drawer, as pages have them. */
function Page(): ReactNode {
  const [opened, setOpened] = useState(true);
  const [sent, setSent] = useState(0);
  return (
    <Drawer opened={opened} onClose={() => setOpened(false)} title="New operator" transitionProps={{ duration: 0 }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setSent((count) => count + 1);
        }}
      >
        <label>
          Host <input />
        </label>
        <output>sent {sent} times</output>
      </form>
    </Drawer>
  );
}
vi.mock("../../../src/shell/shell", () => ({ Shell: Page }));

/** Whom the server knows by each key. */
const callers: Readonly<Record<string, { name: string; accountId: string }>> = {
  tl_alice: { name: "jwt:alice", accountId: "a" },
  tl_alice_newer: { name: "jwt:alice", accountId: "a" },
  tl_alice_elsewhere: { name: "jwt:alice", accountId: "b" },
  tl_bob: { name: "jwt:bob", accountId: "a" },
};

function open() {
  const keys: string[] = [];
  let key = "";
  const keep: Interceptor = (next) => (request) => {
    key = request.header.get("authorization")?.replace("Bearer ", "") ?? "";
    keys.push(key);
    return next(request);
  };
  const transport = createRouterTransport(
    ({ service }) => {
      service(CallerService, {
        getCaller: () => {
          const caller = callers[key === "" ? "tl_alice" : key];
          if (caller === undefined) throw new ConnectError("No such key.", Code.Unauthenticated);
          return { ...caller, role: Role.OPERATOR };
        },
      });
    },
    { transport: { interceptors: [keep] } },
  );
  const settings = { engineUrl: "", environment: "", version: "", auth: true };
  render(
    <MantineProvider env="test">
      <SettingsContext value={settings}>
        <TransportProvider transport={transport}>
          <Gate />
        </TransportProvider>
      </SettingsContext>
    </MantineProvider>,
  );
  return { keys };
}

const question = () => screen.findByRole("dialog", { name: "Sign in again" });
const host = () => screen.getByLabelText<HTMLInputElement>("Host");

/** Somebody types, and the session ends. */
async function interrupted() {
  open();
  await userEvent.type(await screen.findByLabelText("Host"), "typed.example");
  act(() => refused("tl_alice"));
  return question();
}

async function answer(key: string): Promise<void> {
  await userEvent.type(screen.getByLabelText(/^API key or token/, { selector: "input" }), key);
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

beforeEach(() => {
  signIn("tl_alice");
  return signOut;
});

describe("a session that ends while something is typed", () => {
  it("asks above the page, which stays, and lets the same caller go on", async () => {
    const dialog = await interrupted();
    expect(dialog.textContent).toContain("jwt:alice");
    await answer("tl_alice_newer");
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Sign in again" })).toBeNull());
    expect(host().value).toBe("typed.example");
    expect(sessionStorage.getItem("trunkline.credential")).toBe("tl_alice_newer");
  });

  it.each([
    ["somebody else", "tl_bob"],
    ["the same name of another account", "tl_alice_elsewhere"],
  ])("lets %s begin anew", async (_, key) => {
    await interrupted();
    await answer(key);
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Sign in again" })).toBeNull());
    await waitFor(() => expect(host().value).toBe(""));
  });

  it("keeps the page while a key is wrong, and does not take Enter there for that of the form", async () => {
    const dialog = await interrupted();
    await userEvent.type(screen.getByLabelText(/^API key or token/, { selector: "input" }), "tl_wrong{Enter}");
    await waitFor(() => expect(dialog.textContent).toContain("No such key."));
    expect([host().value, screen.getByRole("status").textContent]).toEqual(["typed.example", "sent 0 times"]);
  });

  it("is not dismissed by Esc, nor is what is open below it", async () => {
    await interrupted();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByRole("dialog", { name: "Sign in again" })).not.toBeNull();
    expect(host().value).toBe("typed.example");
    await answer("tl_alice_newer");
    await waitFor(() => expect(screen.queryByRole("dialog", { name: "Sign in again" })).toBeNull());
    await userEvent.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByLabelText("Host")).toBeNull());
  });

  it("throws it all away for who signs out", async () => {
    await interrupted();
    await userEvent.click(screen.getByRole("button", { name: "Sign out" }));
    expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Trunkline");
    expect(screen.queryByLabelText("Host")).toBeNull();
  });
});

it("who comes with a key that has ended by then is asked on a page of its own", async () => {
  act(() => refused("tl_alice"));
  open();
  expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Trunkline");
  await answer("tl_bob");
  expect((await screen.findByLabelText<HTMLInputElement>("Host")).value).toBe("");
});
