import { NavLink } from "@mantine/core";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import type { PageEntry } from "../pages/pages";

export function Navigation({ pages }: { pages: readonly PageEntry[] }): ReactNode {
  const [location] = useLocation();
  return pages.map(({ path, label, icon: Icon }) => {
    const here = location === path || (path !== "/" && location.startsWith(`${path}/`));
    return (
      <NavLink
        key={path}
        component={Link}
        href={path}
        label={label}
        leftSection={<Icon size={18} stroke={1.7} aria-hidden />}
        active={here}
        {...(here ? { "aria-current": "page" as const } : {})}
        style={{ borderRadius: 8 }}
      />
    );
  });
}
