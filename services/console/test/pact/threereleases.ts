import { type JSONValue, type State, int64, like, regex, timestamp } from "./kit.js";

/** What the pacts about releases share: three releases, and how they are answered. */
export const service = "trunkline.releases.v1.ReleaseService";
export const [oldest, older, newest] = [
  "0190a8f0-0000-7000-8000-0000000000f1",
  "0190a8f0-0000-7000-8000-0000000000f2",
  "0190a8f0-0000-7000-8000-0000000000f3",
] as const;
export const digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/** These releases exist, the oldest first. */
export const made = (...releases: { [key: string]: JSONValue }[]): State => ({ name: "releases exist", parameters: { releases } });

/** These were put in force in turn, or are scheduled. */
export const published = (...activations: { [key: string]: JSONValue }[]): State => ({
  name: "releases were published",
  parameters: { activations },
});

export const three = made({ releaseId: oldest }, { releaseId: older }, { releaseId: newest, description: "Cheaper to Spain" });
/** The oldest was in force, the one after it is, and the newest is a draft. */
export const states = [three, published({ releaseId: oldest }, { releaseId: older, reason: "prices of May" })];

/** An activation as it is answered. */
export const activation = (number: string, releaseId: string, more: object = {}) => ({
  activation: number,
  releaseId,
  kind: "RELEASE_ACTIVATION_KIND_PUBLISH",
  activateTime: timestamp("2026-11-21T12:00:00Z"),
  createTime: timestamp("2026-11-21T12:00:00Z"),
  createdBy: like("somebody"),
  ...more,
});

/** A release as it is answered. */
export const shown = (number: string, releaseId: string, state: string, more: object = {}) => ({
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

export const told = { announced: true };
export const inForce = activation("2", older, { ...told, formerReleaseId: oldest, reason: "prices of May" });
export const first = shown("1", oldest, "RETIRED", { lastActivation: activation("1", oldest, told) });
export const second = shown("2", older, "ACTIVE", { lastActivation: inForce });
export const third = shown("3", newest, "DRAFT", { description: "Cheaper to Spain" });
