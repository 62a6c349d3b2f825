import { Code, ConnectError } from "@connectrpc/connect";
import { AppShell, Burger, Group, ScrollArea } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { type ReactNode, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { may, useCaller } from "../api/caller";
import { type PageEntry, pages, pagesFor } from "../pages/pages";
import { Forbidden, Loading } from "../parts/states";
import { notifyFailed } from "../parts/notify";
import { Page } from "../parts/page";
import { roleWord } from "../parts/words";
import { Boundary } from "./boundary";
import { useFetchAhead } from "./fetchahead";
import { Header } from "./header";
import { useKeptFocus } from "./keptfocus";
import { LostBanner } from "./lost";
import { Navigation } from "./navigation";
import { Shortcuts } from "./shortcuts";
import styles from "./shell.module.css";

// The first screen does without it.
const loadPalette = () => import("./palette");

/** The frame around every page. */
export function Shell(): ReactNode {
  const [menu, { toggle, close }] = useDisclosure(false);
  const [location] = useLocation();
  const caller = useCaller();
  const seen = useMemo(() => pagesFor(caller), [caller]);
  useFetchAhead(seen, loadPalette);
  useEffect(close, [location, close]);
  const [asked, setAsked] = useState(0);
  const [Palette, setPalette] = useState<Awaited<ReturnType<typeof loadPalette>>["default"]>();
  const find = useCallback(() => {
    setAsked((n) => n + 1);
    loadPalette().then(
      ({ default: loaded }) => {
        setPalette(() => loaded);
      },
      () => {
        notifyFailed("The palette is not loaded yet", new ConnectError("the server cannot be reached", Code.Unavailable));
      },
    );
  }, []);
  useHotkeys([["mod+K", find]], [], true);
  useKeptFocus();

  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 216, breakpoint: "md", collapsed: { mobile: !menu } }}
      padding={{ base: "md", sm: "lg" }}
      classNames={{ root: styles.root, header: styles.header, navbar: styles.navbar, main: styles.main }}
    >
      <a href="#content" className={styles.skip}>
        Skip to the content
      </a>
      <AppShell.Header aria-label="Console">
        <Group h="100%" px="md" wrap="nowrap" gap="sm">
          <Burger opened={menu} onClick={toggle} hiddenFrom="md" size="sm" aria-label={menu ? "Close the navigation" : "Open the navigation"} />
          <Header onFind={find} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        <AppShell.Section grow component={ScrollArea} type="auto">
          <Navigation pages={seen} />
        </AppShell.Section>
      </AppShell.Navbar>
      <AppShell.Main id="content">
        <LostBanner />
        <Boundary key={location.split("/")[1]}>
          <Suspense fallback={<Loading height={480} />}>
            <Switch>
              {pages.map((page) => (
                <Route key={page.path} path={page.below === true ? `${page.path}/*?` : page.path}>
                  <Guarded page={page} allowed={seen.includes(page)} />
                </Route>
              ))}
              <Route>
                <Page title="Nothing here">There is no page at this address. The link may be old.</Page>
              </Route>
            </Switch>
          </Suspense>
        </Boundary>
      </AppShell.Main>
      {Palette !== undefined && <Palette pages={seen} asked={asked} />}
      <Shortcuts pages={seen} />
    </AppShell>
  );
}

function Guarded({ page, allowed }: { page: PageEntry; allowed: boolean }): ReactNode {
  const caller = useCaller();
  const [first] = pagesFor(caller);
  if (allowed) return <page.component />;
  // Who is bound to an account has no overview: it begins elsewhere.
  if (page.path === "/" && first !== undefined) return <Redirect to={first.path} replace />;
  return (
    <Page title={page.label}>
      <Forbidden needs={roleWord(page.role)} bound={may(caller, page.role) && page.unbound} />
    </Page>
  );
}
