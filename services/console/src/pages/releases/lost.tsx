import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Page } from "../../parts/page";
import { Empty } from "../../parts/states";

/** For addresses that name no release. */
export function Lost(): ReactNode {
  return (
    <Page title="No such release">
      <Empty title="No release has this address" action={<Button component={Link} href="/releases" variant="default">All releases</Button>}>
        The link may be cut short, or of another deployment.
      </Empty>
    </Page>
  );
}
