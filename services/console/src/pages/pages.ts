import {
  IconActivityHeartbeat, IconAntennaBars5, IconCoins, IconGauge, IconKey, IconListDetails, IconPackageExport, IconRoute, IconScript,
  IconServerCog, IconTimeline,
} from "@tabler/icons-react";
import type { ComponentType, LazyExoticComponent } from "react";
import { type Caller, may, Role } from "../api/caller";
import { lazily, type Load } from "../parts/lazily";

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
  /** Has it loaded before somebody opens it. */
  readonly load: Load<object>;
}

function loaded(load: Load<object>): Pick<PageEntry, "component" | "load"> {
  return { component: lazily(load), load };
}

/** In the order of the navigation. The first one that a caller may see is the first that it sees. */
export const pages: readonly PageEntry[] = [
  { path: "/", label: "Overview", key: "o", icon: IconGauge, role: Role.VIEWER, unbound: true, ...loaded(() => import("./overview")) },
  { path: "/operators", below: true, label: "Operators", key: "p", icon: IconAntennaBars5, role: Role.VIEWER, unbound: true, ...loaded(() => import("./operators")) },
  { path: "/rules", below: true, label: "Rules", key: "r", icon: IconListDetails, role: Role.VIEWER, unbound: false, ...loaded(() => import("./rules")) },
  { path: "/rates", below: true, label: "Rates", key: "t", icon: IconCoins, role: Role.VIEWER, unbound: true, ...loaded(() => import("./rates")) },
  { path: "/explore", label: "Route explorer", key: "e", icon: IconRoute, role: Role.VIEWER, unbound: false, ...loaded(() => import("./explore")) },
  { path: "/releases", below: true, label: "Releases", key: "l", icon: IconPackageExport, role: Role.VIEWER, unbound: true, ...loaded(() => import("./releases")) },
  { path: "/health", label: "Health", key: "h", icon: IconActivityHeartbeat, role: Role.VIEWER, unbound: true, ...loaded(() => import("./health")) },
  { path: "/decisions", label: "Decisions", key: "d", icon: IconTimeline, role: Role.VIEWER, unbound: true, ...loaded(() => import("./decisions")) },
  { path: "/access", below: true, label: "Access", key: "a", icon: IconKey, role: Role.VIEWER, unbound: false, ...loaded(() => import("./access")) },
  { path: "/audit", label: "Audit", key: "u", icon: IconScript, role: Role.ADMIN, unbound: true, ...loaded(() => import("./audit")) },
  { path: "/system", label: "System", key: "s", icon: IconServerCog, role: Role.VIEWER, unbound: true, ...loaded(() => import("./system")) },
];

/** The pages that a caller may see. */
export function pagesFor(caller: Caller): readonly PageEntry[] {
  return pages.filter((page) => may(caller, page.role, page.unbound));
}
