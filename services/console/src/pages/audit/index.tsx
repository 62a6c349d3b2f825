import type { ReactNode } from "react";
import { Role, useMay } from "../../api/caller";
import { Page } from "../../parts/page";
import { Forbidden } from "../../parts/states";
import { AuditLog } from "./log";

export default function Audit(): ReactNode {
  if (useMay(Role.ADMIN, true)) return <AuditLog />;
  return (
    <Page title="Audit">
      <Forbidden needs="an admin who is bound to no account" />
    </Page>
  );
}
