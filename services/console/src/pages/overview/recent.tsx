import { Anchor } from "@mantine/core";
import { type ReactNode, Suspense } from "react";
import { Link } from "wouter";
import { lazily } from "../../parts/lazily";
import { Section } from "../../parts/page";
import { Loading } from "../../parts/states";

// Only admins have it, and it looks at what was, not at what is.
const Rows = lazily(() => import("./recentrows"));

export function RecentChanges(): ReactNode {
  return (
    <Section
      title="Recent changes"
      actions={
        <Anchor component={Link} href="/audit" size="sm">
          Audit
        </Anchor>
      }
    >
      <Suspense fallback={<Loading height={180} />}>
        <Rows />
      </Suspense>
    </Section>
  );
}
