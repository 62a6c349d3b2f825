import { useQuery } from "@connectrpc/connect-query";
import { ReleaseService } from "@gen/releases/v1/release_service_pb";
import { Anchor } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../api/caller";

/** Whether engines serve releases, so that a change of rules or prices counts with the next one only; undefined until it is known. */
export function useServesReleases(): boolean | undefined {
  const seen = useMay(Role.VIEWER, true);
  const { data } = useQuery(ReleaseService.method.getRelease, {}, { enabled: seen });
  return data === undefined ? undefined : data.engines.length > 0;
}

/** Where a release is made; nothing for who may not. */
export function MakeRelease(): ReactNode {
  const may = useMay(Role.OPERATOR, true);
  if (!may) return null;
  return (
    <Anchor component={Link} href="/releases?new=1" inherit underline="always">
      Make a release
    </Anchor>
  );
}
