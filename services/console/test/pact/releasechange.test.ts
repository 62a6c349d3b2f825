import { Code } from "@connectrpc/connect";
import { ReleaseActivationKind, ReleaseState } from "@gen/releases/v1/release_pb.js";
import { describe, expect, it } from "vitest";
import { errorInfo, failure, interaction, like, refused, said, sentence, timestamp } from "./kit.js";
import { etagOf, provider, requestId, valueOf } from "./management.js";
import { activation, made, newest, older, oldest, published, service, shown, states, three, told } from "./threereleases.js";

/** The caller, as the provider's verification knows who calls. */
const me = "test";

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
