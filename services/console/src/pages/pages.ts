import {
  IconActivityHeartbeat, IconAntennaBars5, IconCoins, IconGauge, IconKey, IconListDetails, IconPackageExport, IconRoute, IconScript,
  IconServerCog, IconTimeline,
} from "@tabler/icons-react";
import { type ComponentType, lazy, type LazyExoticComponent } from "react";
import { type Caller, may, Role } from "../api/caller";

/** A page of the console. */
export interface PageEntry {
  /** Where it is, below /console. */
  readonly path: string;
  /** Also everything below path, such as /operators/<id>. */
  readonly below?: true;
  readonly label: string;
  /** Pressed after g. */
  readonly key: string;
  readonly icon: typeof IconGauge;
  readonly role: Role;
  /** Not for callers that are bound to one account. */
  readonly unbound: boolean;
  readonly component: LazyExoticComponent<ComponentType>;
}

/** In the order of the navigation. The first one that a caller may see is the first that it sees. */
export const pages: readonly PageEntry[] = [
  { path: "/", label: "Overview", key: "o", icon: IconGauge, role: Role.VIEWER, unbound: true, component: lazy(() => import("./overview")) },
  { path: "/operators", below: true, label: "Operators", key: "p", icon: IconAntennaBars5, role: Role.VIEWER, unbound: true, component: lazy(() => import("./operators")) },
  { path: "/rules", below: true, label: "Rules", key: "r", icon: IconListDetails, role: Role.VIEWER, unbound: false, component: lazy(() => import("./rules")) },
  { path: "/rates", below: true, label: "Rates", key: "t", icon: IconCoins, role: Role.VIEWER, unbound: true, component: lazy(() => import("./rates")) },
  { path: "/explore", label: "Route explorer", key: "e", icon: IconRoute, role: Role.VIEWER, unbound: false, component: lazy(() => import("./explore")) },
  { path: "/releases", below: true, label: "Releases", key: "l", icon: IconPackageExport, role: Role.VIEWER, unbound: true, component: lazy(() => import("./releases")) },
  { path: "/health", label: "Health", key: "h", icon: IconActivityHeartbeat, role: Role.VIEWER, unbound: true, component: lazy(() => import("./health")) },
  { path: "/decisions", label: "Decisions", key: "d", icon: IconTimeline, role: Role.VIEWER, unbound: true, component: lazy(() => import("./decisions")) },
  { path: "/access", below: true, label: "Access", key: "a", icon: IconKey, role: Role.VIEWER, unbound: false, component: lazy(() => import("./access")) },
  { path: "/audit", label: "Audit", key: "u", icon: IconScript, role: Role.ADMIN, unbound: true, component: lazy(() => import("./audit")) },
  { path: "/system", label: "System", key: "s", icon: IconServerCog, role: Role.VIEWER, unbound: true, component: lazy(() => import("./system")) },
];

/** The pages that a caller may see. */
export function pagesFor(caller: Caller): readonly PageEntry[] {
  return pages.filter((page) => may(caller, page.role, page.unbound));
}
