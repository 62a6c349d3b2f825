import { Code } from "@connectrpc/connect";
import { ReleaseEngineState } from "@gen/events/v1/release_event_pb.js";
import { ReleaseActivationKind, ReleaseState } from "@gen/releases/v1/release_pb.js";
import { describe, expect, it } from "vitest";
import { type JSONValue, type State, errorInfo, failure, int64, interaction, like, refused, regex, said, sentence, timestamp } from "./kit.js";
import { etagOf, nobody, provider, requestId, valueOf } from "./management.js";

const service = "trunkline.releases.v1.ReleaseService";
const [oldest, older, newest] = [
  "0190a8f0-0000-7000-8000-0000000000f1",
  "0190a8f0-0000-7000-8000-0000000000f2",
  "0190a8f0-0000-7000-8000-0000000000f3",
] as const;
const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/** The caller, as the provider's verification knows who calls. */
const me = "test";

/** These releases exist, the oldest first. */
const made = (...releases: { [key: string]: JSONValue }[]): State => ({ name: "releases exist", parameters: { releases } });

/** These were put in force in turn, or are scheduled. */
const published = (...activations: { [key: string]: JSONValue }[]): State => ({
  name: "releases were published",
  parameters: { activations },
});

const three = made({ releaseId: oldest }, { releaseId: older }, { releaseId: newest, description: "Cheaper to Spain" });
/** The oldest was in force, the one after it is, and the newest is a draft. */
const states = [three, published({ releaseId: oldest }, { releaseId: older, reason: "prices of May" })];

/** An activation as it is answered. */
const activation = (number: string, releaseId: string, more: object = {}) => ({
  activation: number,
  releaseId,
  kind: "RELEASE_ACTIVATION_KIND_PUBLISH",
  activateTime: timestamp("2026-11-21T12:00:00Z"),
  createTime: timestamp("2026-11-21T12:00:00Z"),
  createdBy: like("somebody"),
  ...more,
});

/** A release as it is answered. */
const shown = (number: string, releaseId: string, state: string, more: object = {}) => ({
  releaseId,
  number,
  state: `RELEASE_STATE_${state}`,
  digest: regex(/^[0-9a-f]{64}$/, digest),
  sizeBytes: int64("3000000"),
  storedBytes: int64("400000"),
  operatorCount: int64("12"),
  configVersion: int64("7"),
  createTime: timestamp("2026-11-21T11:00:00Z"),
  createdBy: like("somebody"),
  etag: like("an etag"),
  ...more,
});

const told = { announced: true };
const inForce = activation("2", older, { ...told, formerReleaseId: oldest, reason: "prices of May" });
const first = shown("1", oldest, "RETIRED", { lastActivation: activation("1", oldest, told) });
const second = shown("2", older, "ACTIVE", { lastActivation: inForce });
const third = shown("3", newest, "DRAFT", { description: "Cheaper to Spain" });

describe("the list of releases", () => {
  it("shows them newest first", () =>
    interaction(
      { provider, name: "the releases", states, procedure: `${service}/ListReleases`, request: {}, response: { releases: [third, second, first] } },
      async (api) => {
        const got = await api.releases.listReleases({});
        expect(got.nextPageToken).toBe("");
        expect(got.freshness).toBeUndefined();
        expect(got.releases).toMatchObject([
          {
            releaseId: newest,
            number: 3n,
            state: ReleaseState.DRAFT,
            description: "Cheaper to Spain",
            digest,
            sizeBytes: 3_000_000n,
            storedBytes: 400_000n,
            operatorCount: 12n,
            ruleCount: 0n,
            rateCount: 0n,
            configVersion: 7n,
            warningCount: 0n,
            createTime: { seconds: 1795258800n },
            createdBy: "somebody",
            approvedBy: "",
            etag: "an etag",
          },
          { releaseId: older, state: ReleaseState.ACTIVE, lastActivation: { activation: 2n, formerReleaseId: oldest, announced: true } },
          { releaseId: oldest, state: ReleaseState.RETIRED, lastActivation: { activation: 1n, cancelled: false } },
        ]);
        expect(got.releases[0]?.lastActivation).toBeUndefined();
        expect(got.releases[0]?.approveTime).toBeUndefined();
      },
    ));

  it("is read in pages", () =>
    interaction(
      {
        provider,
        name: "the first page of the releases",
        states,
        procedure: `${service}/ListReleases`,
        request: { pageSize: 1 },
        response: { releases: [third], nextPageToken: regex(/^.{1,512}$/, "more") },
      },
      async (api) => {
        const got = await api.releases.listReleases({ pageSize: 1 });
        expect(got.releases).toHaveLength(1);
        expect(got.nextPageToken).toBe("more");
      },
    ));

  it("shows what is approved and what is scheduled", () =>
    interaction(
      {
        provider,
        name: "the releases that wait",
        states: [
          made({ releaseId: oldest }, { releaseId: older, approvedBy: "somebody else" }, { releaseId: newest }),
          published({ releaseId: oldest }, { releaseId: newest, activateTime: "2099-01-01T00:00:00Z" }),
        ],
        procedure: `${service}/ListReleases`,
        request: { pageSize: 2 },
        response: {
          releases: [
            shown("3", newest, "SCHEDULED", {
              lastActivation: activation("2", newest, { ...told, formerReleaseId: oldest, activateTime: "2099-01-01T00:00:00Z" }),
            }),
            shown("2", older, "APPROVED", { approveTime: timestamp("2026-11-21T11:30:00Z"), approvedBy: "somebody else" }),
          ],
        },
      },
      async (api) => {
        const got = await api.releases.listReleases({ pageSize: 2 });
        expect(got.releases).toMatchObject([
          { state: ReleaseState.SCHEDULED, lastActivation: { activateTime: { seconds: 4070908800n } } },
          { state: ReleaseState.APPROVED, approveTime: { seconds: 1795260600n }, approvedBy: "somebody else" },
        ]);
      },
    ));
});

describe("one release", () => {
  const engine = { engineId: "0190a8f0-0000-7000-8000-0000000000e1", host: "engine-1", releaseId: older, activation: "2" };
  const behind = { engineId: "0190a8f0-0000-7000-8000-0000000000e2", host: "engine-2", releaseId: older, activation: "2" };
  const serving = {
    ...engine,
    state: "RELEASE_ENGINE_STATE_SERVING",
    servingReleaseId: older,
    servingActivation: "2",
    servingSince: "2026-11-21T12:00:01Z",
  };
  const refusing = {
    ...behind,
    state: "RELEASE_ENGINE_STATE_REFUSED",
    reason: "ARTIFACT_DIGEST",
    servingReleaseId: oldest,
    servingActivation: "1",
    servingSince: "2026-11-21T11:00:01Z",
  };

  it("is shown with its history and what engines serve", () =>
    interaction(
      {
        provider,
        name: "a release, its history and what engines serve",
        states: [...states, { name: "engines spoke of a release", parameters: { events: [serving, refusing] } }],
        procedure: `${service}/GetRelease`,
        request: { releaseId: older },
        response: {
          release: second,
          activations: [inForce],
          engines: [
            { event: { ...refusing, occurredAt: timestamp("2026-11-21T12:00:30Z") } },
            { event: { ...serving, occurredAt: timestamp("2026-11-21T12:00:30Z") }, current: true },
          ],
        },
      },
      async (api) => {
        const got = await api.releases.getRelease({ releaseId: older });
        expect(got.release).toMatchObject({ releaseId: older, number: 2n, state: ReleaseState.ACTIVE });
        expect(got.activations).toMatchObject([
          { activation: 2n, kind: ReleaseActivationKind.PUBLISH, reason: "prices of May", createTime: { seconds: 1795262400n } },
        ]);
        expect(got.engines).toMatchObject([
          {
            event: { host: "engine-2", state: ReleaseEngineState.REFUSED, reason: "ARTIFACT_DIGEST", servingReleaseId: oldest },
            current: false,
          },
          { event: { host: "engine-1", state: ReleaseEngineState.SERVING, servingActivation: 2n, reason: "" }, current: true },
        ]);
      },
    ));

  it("is the one in force when none is named", () =>
    interaction(
      {
        provider,
        name: "the release in force",
        states,
        procedure: `${service}/GetRelease`,
        request: {},
        response: { release: second, activations: [inForce] },
      },
      async (api) => {
        const got = await api.releases.getRelease({});
        expect(got.release?.releaseId).toBe(older);
        expect(got.engines).toEqual([]);
      },
    ));

  it.each([
    { name: "a release that does not exist", states: [], releaseId: nobody, reason: "NO_SUCH_RELEASE" },
    { name: "the release in force before one was published", states: [three], releaseId: "", reason: "NO_ACTIVE_RELEASE" },
  ])("may not be there: $name", ({ name, states, releaseId, reason }) =>
    interaction(
      {
        provider,
        name,
        states,
        procedure: `${service}/GetRelease`,
        request: releaseId ? { releaseId } : {},
        status: 404,
        response: refused("not_found", errorInfo(reason)),
      },
      async (api) => {
        const e = await failure(api.releases.getRelease({ releaseId }));
        expect([e.code, e.rawMessage]).toEqual([Code.NotFound, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason });
      },
    ),
  );
});

describe("an approval", () => {
  it("is the word of a second admin", () =>
    interaction(
      {
        provider,
        name: "the approval of a release",
        states: [three],
        procedure: `${service}/ApproveRelease`,
        request: { releaseId: newest, etag: etagOf(newest), requestId },
        response: {
          release: shown("3", newest, "APPROVED", { approveTime: timestamp("2026-11-21T12:00:00Z"), approvedBy: like("somebody else") }),
        },
      },
      async (api) => {
        const got = await api.releases.approveRelease({ releaseId: newest, etag: "an etag", requestId });
        expect(got.release).toMatchObject({ state: ReleaseState.APPROVED, approveTime: { seconds: 1795262400n }, approvedBy: "somebody else" });
      },
    ));

  it.each([
    {
      name: "the approval of a release by who made it",
      createdBy: me,
      etag: "",
      status: 400,
      connect: "failed_precondition",
      code: Code.FailedPrecondition,
      reason: "SAME_ADMIN",
    },
    {
      name: "the approval of a release that was approved meanwhile",
      createdBy: "somebody",
      etag: "another etag",
      status: 409,
      connect: "aborted",
      code: Code.Aborted,
      reason: "ETAG_MISMATCH",
    },
  ])("may be refused: $name", ({ name, createdBy, etag, status, connect, code, reason }) =>
    interaction(
      {
        provider,
        name,
        states: [made({ releaseId: newest, createdBy })],
        procedure: `${service}/ApproveRelease`,
        request: { releaseId: newest, ...(etag && { etag }) },
        status,
        response: refused(connect, errorInfo(reason)),
      },
      async (api) => {
        const e = await failure(api.releases.approveRelease({ releaseId: newest, etag }));
        expect([e.code, e.rawMessage]).toEqual([code, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason });
      },
    ),
  );
});

describe("a publication", () => {
  it("is rehearsed", () =>
    interaction(
      {
        provider,
        name: "the rehearsal of a publication",
        states,
        procedure: `${service}/PublishRelease`,
        request: { releaseId: newest, etag: etagOf(newest), expectedReleaseId: older, validateOnly: true },
        response: { release: { releaseId: newest, state: "RELEASE_STATE_ACTIVE" }, activation: { releaseId: newest, formerReleaseId: older } },
      },
      async (api) => {
        const got = await api.releases.publishRelease({ releaseId: newest, etag: "an etag", expectedReleaseId: older, validateOnly: true });
        expect(got.release?.state).toBe(ReleaseState.ACTIVE);
        expect(got.activation).toMatchObject({ activation: 0n, formerReleaseId: older, announced: false });
      },
    ));

  it("puts a release in force", () => {
    const now = activation("3", newest, { ...told, formerReleaseId: older, reason: "prices of June" });
    return interaction(
      {
        provider,
        name: "a publication",
        states,
        procedure: `${service}/PublishRelease`,
        request: { releaseId: newest, etag: etagOf(newest), expectedReleaseId: older, reason: "prices of June", requestId },
        response: {
          release: shown("3", newest, "ACTIVE", { description: "Cheaper to Spain", lastActivation: now }),
          activation: now,
        },
      },
      async (api) => {
        const got = await api.releases.publishRelease({
          releaseId: newest,
          etag: "an etag",
          expectedReleaseId: older,
          reason: "prices of June",
          requestId,
        });
        expect(got.release).toMatchObject({ releaseId: newest, state: ReleaseState.ACTIVE, lastActivation: { activation: 3n } });
        expect(got.activation).toMatchObject({
          activation: 3n,
          kind: ReleaseActivationKind.PUBLISH,
          activateTime: { seconds: 1795262400n },
          formerReleaseId: older,
          reason: "prices of June",
          announced: true,
        });
      },
    );
  });

  it("may be for later", () => {
    const later = activation("3", newest, { ...told, formerReleaseId: older, activateTime: timestamp("2026-11-21T13:00:00Z") });
    return interaction(
      {
        provider,
        name: "a publication for later",
        states,
        procedure: `${service}/PublishRelease`,
        request: { releaseId: newest, activateTime: valueOf("an hour from now", "2026-11-21T13:00:00Z") },
        response: { release: { releaseId: newest, state: "RELEASE_STATE_SCHEDULED", lastActivation: later }, activation: later },
      },
      async (api) => {
        const got = await api.releases.publishRelease({ releaseId: newest, activateTime: { seconds: 1795266000n } });
        expect(got.release?.state).toBe(ReleaseState.SCHEDULED);
        expect(got.activation).toMatchObject({ activation: 3n, activateTime: { seconds: 1795266000n } });
      },
    );
  });

  it.each([
    {
      name: "a publication of the release in force",
      request: { releaseId: older },
      status: 400,
      connect: "failed_precondition",
      code: Code.FailedPrecondition,
      reason: "ALREADY_ACTIVE",
    },
    {
      name: "a publication that another one came before",
      request: { releaseId: newest, expectedReleaseId: oldest },
      status: 409,
      connect: "aborted",
      code: Code.Aborted,
      reason: "RELEASE_MOVED",
      metadata: { active_release_id: older },
    },
  ])("may be refused: $name", ({ name, request, status, connect, code, reason, metadata }) =>
    interaction(
      {
        provider,
        name,
        states,
        procedure: `${service}/PublishRelease`,
        request,
        status,
        response: refused(connect, errorInfo(reason, metadata)),
      },
      async (api) => {
        const e = await failure(api.releases.publishRelease(request));
        expect([e.code, e.rawMessage]).toEqual([code, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason, ...(metadata && { metadata }) });
      },
    ),
  );
});

describe("a way back", () => {
  const back = activation("3", oldest, {
    ...told,
    kind: "RELEASE_ACTIVATION_KIND_ROLLBACK",
    formerReleaseId: older,
    reason: "too dear",
  });

  it("leads to the release before", () =>
    interaction(
      {
        provider,
        name: "a rollback",
        states,
        procedure: `${service}/RollbackRelease`,
        request: { expectedReleaseId: older, reason: "too dear", requestId },
        response: { release: shown("1", oldest, "ACTIVE", { lastActivation: back }), activation: back },
      },
      async (api) => {
        const got = await api.releases.rollbackRelease({ expectedReleaseId: older, reason: "too dear", requestId });
        expect(got.release).toMatchObject({ releaseId: oldest, state: ReleaseState.ACTIVE });
        expect(got.activation).toMatchObject({ activation: 3n, kind: ReleaseActivationKind.ROLLBACK, reason: "too dear", announced: true });
      },
    ));

  it("is rehearsed", () =>
    interaction(
      {
        provider,
        name: "the rehearsal of a rollback",
        states,
        procedure: `${service}/RollbackRelease`,
        request: { releaseId: oldest, validateOnly: true },
        response: { release: { releaseId: oldest, state: "RELEASE_STATE_ACTIVE" }, activation: { releaseId: oldest, formerReleaseId: older } },
      },
      async (api) => {
        const got = await api.releases.rollbackRelease({ releaseId: oldest, validateOnly: true });
        expect(got.release?.releaseId).toBe(oldest);
        expect(got.activation?.activation).toBe(0n);
      },
    ));

  it.each([
    { name: "a rollback from the first release", states: [three, published({ releaseId: oldest })], request: {}, reason: "NO_FORMER_RELEASE" },
    { name: "a rollback to a release that was never in force", states, request: { releaseId: newest }, reason: "NEVER_ACTIVE" },
  ])("may not be there: $name", ({ name, states, request, reason }) =>
    interaction(
      {
        provider,
        name,
        states,
        procedure: `${service}/RollbackRelease`,
        request,
        status: 400,
        response: refused("failed_precondition", errorInfo(reason)),
      },
      async (api) => {
        const e = await failure(api.releases.rollbackRelease(request));
        expect([e.code, e.rawMessage]).toEqual([Code.FailedPrecondition, sentence]);
        expect(said(e, "google.rpc.ErrorInfo")).toMatchObject({ reason });
      },
    ),
  );
});
