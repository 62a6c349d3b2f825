/** Why an engine refuses a release, and what to do about it. */
export interface Refusal {
  readonly meaning: string;
  readonly remedy: string;
}

const anew = "operator-management puts the right bytes back within 30 s";

const refusals: Readonly<Record<string, Refusal>> = {
  MANIFEST_KEY: {
    meaning: "the manifest is signed with a key that the engine does not trust",
    remedy: "give engines the public key of operator-management (engine.release.public_keys)",
  },
  MANIFEST_SIGNATURE: {
    meaning: "the manifest's signature is not valid: it was changed",
    remedy: "find out who writes to NATS, then publish again",
  },
  MANIFEST_ENVIRONMENT: {
    meaning: "the manifest is for another environment",
    remedy: "two environments share one NATS account: give each its own, or set the same environment on both sides",
  },
  MANIFEST_OLD: {
    meaning: "the engine accepted a newer manifest before",
    remedy: "publishing again does not help. After restoring the database and NATS, empty the folders of engines and restart them",
  },
  MANIFEST_LAYOUT: { meaning: "the engine cannot understand the manifest", remedy: "update the engine" },
  ARTIFACT_DIGEST: { meaning: "the bytes of the release are not those that the manifest names", remedy: anew },
  ARTIFACT_CUT: { meaning: "the release ends too early", remedy: anew },
  ARTIFACT_SIZE: {
    meaning: "the release has another size than the manifest says, or is larger than the engine takes",
    remedy: `raise engine.release.max_artifact_bytes; or ${anew}`,
  },
  ARTIFACT_LAYOUT: { meaning: "the engine cannot understand the release", remedy: "update the engine, or make the release anew" },
  ARTIFACT_MISSING: {
    meaning: "the release is not in the object store yet; the engine tries again",
    remedy: "operator-management puts it there within 30 s",
  },
  RELEASE_NONE: { meaning: "nothing is published in its environment, as far as the engine knows", remedy: "publish a release" },
  RELEASE_FOLDER: {
    meaning: "its folder cannot be written: the engine serves, but could not start alone",
    remedy: "look at its disk",
  },
};

/** undefined for a reason that this console does not know. */
export function refusalOf(reason: string): Refusal | undefined {
  return refusals[reason];
}
