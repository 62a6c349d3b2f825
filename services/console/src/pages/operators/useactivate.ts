import type { Operator } from "@gen/operators/v1/operator_pb";
import { notifyFailed } from "../../parts/notify";
import type { StatusChanges } from "./usestatus";

/** Activating takes nothing from anybody, so it does not ask; a notification takes it back. */
export function useActivate({ operatorId, etag, name }: Operator, changes: StatusChanges): () => void {
  return () => {
    changes.activate.send({ operatorId, etag }).catch((error: unknown) => notifyFailed(`${name} was not activated`, error));
  };
}
