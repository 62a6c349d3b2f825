import { useQuery } from "@connectrpc/connect-query";
import { SystemService } from "@gen/operators/v1/system_service_pb";
import { type Release, ReleaseState } from "@gen/releases/v1/release_pb";
import { Role, useMay } from "../../api/caller";

const setting = "operators.releases.require_approval";

/** Whether nothing is published without an approval; undefined while it is not known, and to those who may not read settings. */
export function useApprovalRequired(): boolean | undefined {
  const may = useMay(Role.ADMIN, true);
  const { data } = useQuery(SystemService.method.listSettings, {}, { enabled: may, staleTime: 60_000 });
  const value = data?.settings.find(({ key }) => key === setting)?.value;
  return value === undefined ? undefined : value === "true";
}

/** What is said of a release that nobody approved. Where no approval is required, none is missing. */
export function unapprovedText({ state, createdBy }: Pick<Release, "state" | "createdBy">, required: boolean | undefined, caller: string): string {
  if (state !== ReleaseState.DRAFT) return "by nobody: none was required";
  if (required === undefined) return "by nobody";
  if (!required) return "by nobody: none is required";
  return caller === createdBy ? "not yet; you made it, so another admin has to" : "not yet; an admin has to before it can be published";
}
