import { Code } from "@connectrpc/connect";
import { ReleaseEngineState } from "@gen/events/v1/release_event_pb.js";
import { ReleaseActivationKind, ReleaseState } from "@gen/releases/v1/release_pb.js";
import { describe, expect, it } from "vitest";
import { errorInfo, failure, interaction, refused, regex, said, sentence, timestamp } from "./kit.js";
import { nobody, provider } from "./management.js";
import { activation, digest, first, inForce, made, newest, older, oldest, published, second, service, shown, states, third, three, told } from "./threereleases.js";

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
