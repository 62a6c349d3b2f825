import { BindState } from "@gen/events/v1/operator_health_event_pb.js";
import { expect, sayHealth, Server, test } from "./fixtures.js";

test.describe("a server of a test's own", () => {
  test("keeps its address, its key and its data when it is killed and started again", async () => {
    const server = await Server.start({ demo: false, table: "release" });
    try {
      const { account } = await server.api().accounts.createAccount({ account: { name: "Acme" } });
      await server.kill();
      await expect(server.api().accounts.listAccounts({})).rejects.toThrow(/fetch failed/);
      await server.restart();
      const { accounts } = await server.api().accounts.listAccounts({});
      expect(accounts.map((a) => a.accountId)).toContain(account?.accountId);
    } finally {
      await server.dispose();
    }
  });

  test("hears what is said by hand about an operator", async () => {
    const server = await Server.start();
    try {
      const { operators } = await server.api().operators.listOperators({});
      const operatorId = operators[0]?.operatorId ?? "";
      await sayHealth(server.natsUrl, operatorId, "UNBOUND");
      await expect
        .poll(async () => (await server.api().operators.getOperatorHealth({ operatorId })).health?.bindState)
        .toBe(BindState.UNBOUND);
    } finally {
      await server.dispose();
    }
  });
});

test("each role has a key of its own", async ({ server }) => {
  const viewer = server.api(await server.key("viewer"));
  await viewer.operators.listOperators({});
  await expect(viewer.keys.listApiKeys({})).rejects.toThrow(/needs the role admin/);
  expect(await server.key("viewer")).toBe(await server.key("viewer"));
});

test("signing out survives loading the page again", async ({ open }) => {
  const page = await open("/");
  await page.evaluate(() => sessionStorage.removeItem("trunkline.credential"));
  await page.reload();
  expect(await page.evaluate(() => sessionStorage.getItem("trunkline.credential"))).toBeNull();
});

// What the browser complains about fails a test although all that it expects is true.
const complaints: Record<string, () => void> = {
  "an error on the console": () => console.error("made by the test"),
  "a script that the policy refuses": () => document.head.append(Object.assign(document.createElement("script"), { textContent: "0" })),
  "a style that the policy refuses": () => document.head.append(Object.assign(document.createElement("style"), { textContent: "b{}" })),
  "a style in an attribute": () => document.body.insertAdjacentHTML("beforeend", '<p style="color:red">'),
  "a call of another origin": () => void fetch("http://127.0.0.1:9/").catch(() => undefined),
  "an exception that nobody catches": () => void setTimeout(() => { throw new Error("made by the test"); }),
};
for (const [name, complain] of Object.entries(complaints)) {
  test(`${name} is noticed`, async ({ open, faults }) => {
    const page = await open("/");
    const told = Promise.race([page.waitForEvent("console", (m) => m.type() === "error"), page.waitForEvent("pageerror")]);
    await page.evaluate(complain);
    await told;
    expect(() => { faults.check(); }).toThrow(/what the browser complained about/);
    faults.expect(/made by the test/, /Content Security Policy/, /^console: policy: /);
  });
}
