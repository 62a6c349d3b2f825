import { expect, expectAccessible, test } from "./fixtures.js";

test("the console opens, says where it is, and keeps its policy", async ({ open, server }) => {
  const page = await open("/");
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  const answer = await page.request.get(`${server.url}/console/`);
  expect(answer.headers()["content-security-policy"]).toMatch(/script-src 'self'; style-src 'self' 'nonce-\w+'/);
  await expectAccessible(page);
});

test("whoever is not signed in is asked to", async ({ open }) => {
  const page = await open("/operators", { as: "nobody" });
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expectAccessible(page);
});
