import "@mantine/spotlight/styles.css";
import { Spotlight, spotlight, type SpotlightActionData, type SpotlightActionGroupData } from "@mantine/spotlight";
import { IconAntennaBars5, IconListTree, IconPlus, IconRoute, IconSearch } from "@tabler/icons-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { Role, useCaller, may } from "../api/caller";
import type { PageEntry } from "../pages/pages";
import { useOperatorNames } from "../parts/names";
import { numberComplaint } from "../parts/prefixinput";
import { useRulesUnder } from "./paletterules";

/** Things to do that are a page with something open, by the role that they take. */
const deeds: readonly { label: string; description: string; to: string; role: Role }[] = [
  { label: "New operator", description: "Add a connection to an operator", to: "/operators?new=1", role: Role.OPERATOR },
  { label: "New rule", description: "Say which operators carry a prefix", to: "/rules?new=1", role: Role.OPERATOR },
  { label: "Import a rate deck", description: "Upload, map columns, look at the changes, apply", to: "/rates/import", role: Role.OPERATOR },
  { label: "Check all rules", description: "Conflicts and oddities of the whole set", to: "/rules/check", role: Role.VIEWER },
  { label: "New release", description: "Make a draft of the live tables", to: "/releases?new=1", role: Role.OPERATOR },
  { label: "New API key", description: "A credential for a server or a person", to: "/access?tab=keys&new=1", role: Role.ADMIN },
];

/** The command palette: pages, deeds, operators, rules by prefix, and any number to explain. It opens whenever asked grows. */
export default function Palette({ pages, asked }: { pages: readonly PageEntry[]; asked: number }): ReactNode {
  const [query, setQuery] = useState("");
  const groups = useGroups(pages, query.trim());
  useEffect(() => {
    spotlight.open();
  }, [asked]);
  return (
    <Spotlight
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      shortcut={null}
      nothingFound="Nothing has that name"
      highlightQuery
      limit={12}
      maxHeight={420}
      scrollable
      searchProps={{ leftSection: <IconSearch size={18} aria-hidden />, placeholder: "A page, an operator, a number or prefix, or what to do", "aria-label": "Find or do" }}
    />
  );
}

function useGroups(pages: readonly PageEntry[], query: string): SpotlightActionGroupData[] {
  const [, go] = useLocation();
  const caller = useCaller();
  const { live } = useOperatorNames();
  const rules = useRulesUnder(query);
  return useMemo(() => {
    const groups: SpotlightActionGroupData[] = [];
    const number = query.replace(/[\s()-]/g, "");
    if (number.startsWith("+") && numberComplaint(number) === null) {
      groups.push({
        group: "Number",
        actions: [action("explain", `Explain ${query}`, "Which operator carries it, and why", IconRoute, () => { go(`/explore#to=${number}`); }, query)],
      });
    }
    if (rules.length > 0) {
      groups.push({
        group: "Rules",
        actions: rules.map(({ to, label, description }) => action(`rule:${to}`, label, description, IconListTree, () => { go(to); }, query)),
      });
    }
    groups.push({
      group: "Pages",
      actions: pages.map(({ path, label, icon, key }) => action(`page:${path}`, label, `g then ${key}`, icon, () => { go(path); })),
    });
    groups.push({
      group: "Do",
      actions: deeds
        .filter(({ role, to }) => may(caller, role) && pages.some(({ path }) => path !== "/" && to.startsWith(path)))
        .map(({ label, description, to }) => action(`do:${to}`, label, description, IconPlus, () => { go(to); })),
    });
    // All of them would bury the rest until something is typed.
    if (query !== "") {
      groups.push({
        group: "Operators",
        actions: live.map(({ operatorId, name, host }) => action(`operator:${operatorId}`, name, host, IconAntennaBars5, () => { go(`/operators/${operatorId}`); })),
      });
    }
    return groups;
  }, [pages, query, go, caller, live, rules]);
}

function action(id: string, label: string, description: string, Icon: typeof IconPlus, onClick: () => void, keywords?: string): SpotlightActionData {
  return { id, label, description, leftSection: <Icon size={20} stroke={1.6} aria-hidden />, onClick, ...(keywords === undefined ? {} : { keywords }) };
}
