import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport, type Transport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { MantineProvider } from "@mantine/core";
import { FindingSeverity, RuleConflictSchema, RuleFindingSchema } from "@gen/operators/v1/routing_rule_pb";
import { Role } from "@gen/options/v1/access_pb";
import {
  type PublishReleaseRequest, type ReleaseChange, ReleaseChangeKind, ReleaseChangeSchema, ReleaseSchema, ReleaseState, ReleaseSubject,
  type RollbackReleaseRequest,
} from "@gen/releases/v1/release_pb";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { configure, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { CallerProvider } from "../../../../src/api/caller";
import { Actions } from "../../../../src/pages/releases/actions";
import { NewRelease } from "../../../../src/pages/releases/create";
import { Publish } from "../../../../src/pages/releases/publish";
import { formerOne, Rollback } from "../../../../src/pages/releases/rollback";

// Room for a loaded machine.
configure({ asyncUtilTimeout: 15_000 });
vi.setConfig({ testTimeout: 60_000 });

// Text areas that grow wait for fonts, of which jsdom knows nothing.
Object.defineProperty(document, "fonts", { value: new EventTarget(), configurable: true });

const activation = (number: bigint, createdBy: string) => ({ activation: number, createdBy, announced: true });
const active = create(ReleaseSchema, { releaseId: "in-force", number: 1n, state: ReleaseState.ACTIVE, ruleCount: 9n, lastActivation: activation(1n, "ann") });
const later = create(ReleaseSchema, { releaseId: "later", number: 2n, state: ReleaseState.SCHEDULED, ruleCount: 9n, lastActivation: activation(2n, "bob") });
const draft = create(ReleaseSchema, { releaseId: "draft", number: 3n, state: ReleaseState.DRAFT, ruleCount: 4n, createdBy: "ann", etag: "e7" });

/** A server with release 1 in force, 2 scheduled and 3 a draft. */
function server(answers: Answers = {}): Transport {
  return createRouterTransport(({ service }) => {
    service(ReleaseService, routes(answers));
  });
}

interface Answers {
  readonly createRelease?: () => never;
  readonly publishRelease?: (request: PublishReleaseRequest) => { release: typeof draft };
  readonly rollbackRelease?: (request: RollbackReleaseRequest) => { release: typeof active };
  readonly changes?: readonly ReleaseChange[];
  readonly warnings?: readonly MessageInitShape<typeof RuleFindingSchema>[];
}

function routes(answers: Answers) {
  return {
    getRelease: ({ releaseId }: { releaseId: string }) => ({ release: releaseId === "draft" ? draft : active }),
    listReleases: () => ({ releases: [draft, later, active] }),
    diffRelease: async function* () {
      yield { part: { case: "summary" as const, value: { rulesRemoved: 5n, ratesRaised: 1n, operatorsChanged: BigInt(answers.changes?.length ?? 0) } } };
      if (answers.changes !== undefined) yield { part: { case: "changes" as const, value: { changes: [...answers.changes] } } };
    },
    createRelease: async function* () {
      answers.createRelease?.();
      yield { step: { case: "result" as const, value: { release: { ...draft, warningCount: BigInt(answers.warnings?.length ?? 0) }, warnings: [...(answers.warnings ?? [])] } } };
    },
    publishRelease: answers.publishRelease ?? (() => ({ release: draft })),
    rollbackRelease: answers.rollbackRelease ?? (() => ({ release: active })),
  };
}

function show(transport: Transport, children: ReactNode, name = "ann"): void {
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  render(
    <MantineProvider env="test">
      <TransportProvider transport={transport}>
        <QueryClientProvider client={queries}>
          <CallerProvider value={{ name, role: Role.ADMIN, accountId: "" }}>{children}</CallerProvider>
        </QueryClientProvider>
      </TransportProvider>
    </MantineProvider>,
  );
}

const close = (): void => undefined;

/** What the dialog says will happen. */
const sentences = (): (string | null)[] => screen.getAllByRole("listitem").map((item) => item.textContent);

test("conflicts that keep a release from being made are shown with a number and their rules", async () => {
  const detail = {
    desc: RuleConflictSchema,
    value: create(RuleConflictSchema, {
      findings: [{ severity: FindingSeverity.ERROR, reason: "OVERLAPPING_RULES", message: "Two rules say different things.", witness: "+4479111", ruleIds: ["01a20104-1e06-7b5c-935b-20b2c7baa2ef"] }],
    }),
  };
  const reason = { type: "google.rpc.ErrorInfo", value: new Uint8Array([10, 13, ...new TextEncoder().encode("RULE_CONFLICT")]) };
  const failure = new ConnectError("The rules contradict each other.", Code.FailedPrecondition, undefined, [detail]);
  failure.details.push(reason);
  show(server({ createRelease: () => { throw failure; } }), <NewRelease opened onClose={close} />);
  await userEvent.click(await screen.findByRole("button", { name: "Make the draft" }));
  expect((await screen.findByRole("alert")).textContent).toContain("The rules contradict each other.");
  const conflict = (await screen.findByText("OVERLAPPING_RULES")).closest("li");
  expect(conflict?.textContent).toContain("+4479111");
  expect(screen.getByRole("link", { name: "rule …c7baa2ef" }).getAttribute("href")).toContain("/rules/01a20104-1e06-7b5c-935b-20b2c7baa2ef");
});

test("warnings of all rules are folded, and how many the release in force has stands beside", async () => {
  const found = { severity: FindingSeverity.WARNING, reason: "SHADOWED", message: "One rule hides another.", ruleIds: [] };
  show(server({ warnings: [found] }), <NewRelease opened onClose={close} />);
  await userEvent.click(await screen.findByRole("button", { name: "Make the draft" }));
  expect((await screen.findByText(/of the conflict checker/)).textContent).toBe("1 warning of the conflict checker; release 1, which is in force, has none");
  expect(screen.getByText("Show them").closest("details")).toHaveProperty("open", false);
});

test.each([
  ["retired one goes back to it, and publishes again beside that", ReleaseState.RETIRED, ["Go back to it", "Publish again or later"]],
  ["draft publishes", ReleaseState.DRAFT, ["Publish"]],
])("what an admin does with a %s", async (_, state, names) => {
  show(server(), <Actions release={create(ReleaseSchema, { ...draft, state })} />, "bob");
  for (const name of names) expect(await screen.findByRole("button", { name })).toBeDefined();
  const first = screen.getAllByRole("button").filter((button) => button.dataset["variant"] !== "default");
  expect(first.map((button) => button.textContent)).toEqual([names[0]]);
});

test("publishing says what it does before it asks, and sends what was looked at", async () => {
  const requests: PublishReleaseRequest[] = [];
  show(server({ publishRelease: (request) => (requests.push(request), { release: draft }) }), <Publish release={draft} opened onClose={close} />);
  expect((await screen.findByRole("note")).textContent).toBe("Release 3 has only 4 rules, and release 1, which is in force, has 9.");
  expect(sentences()).toContain("What changes: rules: 5 gone; prices: 1 raised.");
  expect(screen.getByText("Release 2 is called off").parentElement?.textContent).toContain("by bob");
  expect(sentences().at(-1)).toContain("it changes nothing for traffic of engines in database or memory mode");
  expect(requests.map(({ validateOnly }) => validateOnly)).toEqual([true]);
  await userEvent.type(screen.getByLabelText("Reason"), "winter");
  await userEvent.click(screen.getByRole("button", { name: "Publish now" }));
  await expect.poll(() => requests.length, { timeout: 15_000 }).toBe(2);
  const [, sent] = requests;
  expect(sent).toMatchObject({ releaseId: "draft", etag: "e7", expectedReleaseId: "in-force", reason: "winter", validateOnly: false });
  expect(sent?.requestId).not.toBe("");
});

test.each([
  ["tells the one who made it that another admin has to approve it", "ann", ["You made release 3, so another admin has to approve it."], false],
  ["offers another admin to approve it", "bob", [], true],
])("a release that needs an approval %s", async (_, name, notes, button) => {
  const failure = new ConnectError("Nobody approved it.", Code.FailedPrecondition);
  failure.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([10, 12, ...new TextEncoder().encode("NOT_APPROVED")]) });
  show(server({ publishRelease: () => { throw failure; } }), <Publish release={draft} opened onClose={close} />, name);
  expect((await screen.findByRole("alert")).textContent).toContain("Nobody approved it.");
  expect(screen.queryAllByRole("note").map((note) => note.textContent)).toEqual(notes);
  expect(screen.queryByRole("button", { name: "Approve" }) !== null).toBe(button);
  expect(screen.getByRole("button", { name: "Publish now" })).toHaveProperty("disabled", true);
});

test("a rollback that names no release goes to the one that the question was about", async () => {
  const former = create(ReleaseSchema, { releaseId: "former", number: 1n, state: ReleaseState.RETIRED, ruleCount: 9n });
  const requests: RollbackReleaseRequest[] = [];
  show(server({ rollbackRelease: (request) => (requests.push(request), { release: former }) }), <Rollback target={formerOne} onTarget={close} onClose={close} />);
  await userEvent.click(await screen.findByRole("button", { name: "Go back to release 1" }));
  await expect.poll(() => requests.length, { timeout: 15_000 }).toBe(2);
  expect(requests.map(({ releaseId, validateOnly }) => [releaseId, validateOnly])).toEqual([["", true], ["former", false]]);
  expect(requests[1]?.expectedReleaseId).toBe("in-force");
});

test("operators that differ are told apart from what changes, because they count at once anyway", async () => {
  const { ADDED, CHANGED } = ReleaseChangeKind;
  const changes = [ADDED, ADDED, CHANGED].map((kind) => create(ReleaseChangeSchema, { subject: ReleaseSubject.OPERATOR, kind }));
  show(server({ changes }), <Publish release={draft} opened onClose={close} />);
  const apart = await screen.findByText(/^The status and settings of operators count at once/);
  expect(apart.textContent).toContain("Those that differ between the two (2 new, 1 changed) stay as they are now.");
  expect(sentences().filter((sentence) => sentence?.includes("operator"))).toEqual([]);
});

test.each([
  ["ALREADY_ROLLED_BACK", "Release 1 came by a rollback itself. Choose above which release to go back to."],
  ["NO_FORMER_RELEASE", "No other release was in force before: there is nothing to go back to. Make a release and publish it instead."],
])("nothing to go back to is no error: %s", async (reason, note) => {
  const failure = new ConnectError("Refused.", Code.FailedPrecondition);
  failure.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([10, reason.length, ...new TextEncoder().encode(reason)]) });
  show(server({ rollbackRelease: () => { throw failure; } }), <Rollback target={formerOne} onTarget={close} onClose={close} />);
  expect((await screen.findByRole("note")).textContent).toBe(note);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("button", { name: "Roll back" })).toHaveProperty("disabled", true);
});
