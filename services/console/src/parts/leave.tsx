import { Button, Group, Modal, Text } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import type { AroundNavHandler } from "wouter";
import { afterReturn } from "./goback";

type Go = () => void;

// Pages with unsaved changes. Each is asked with what to do when it lets go.
const guards = new Set<(go: Go) => void>();

/** For <Router aroundNav>: a route that would lose unsaved changes waits until somebody agrees. Changes of the query string pass. */
export const guardedNavigation: AroundNavHandler = (navigate, to, options) => {
  if (afterReturn(() => guardedNavigation(navigate, to, options))) return;
  const path = new URL(to, location.href).pathname;
  const guard = [...guards].at(-1);
  if (guard === undefined || path === location.pathname) navigate(to, options);
  else guard(() => navigate(to, options));
};

/** Asks before unsaved changes are lost by reload, Back or a route. Render what it gives. */
export function useLeaveGuard(dirty: boolean): ReactNode {
  const [go, setGo] = useState<Go | undefined>();

  useEffect(() => {
    if (!dirty) return;
    const ask = (next: Go): void => setGo(() => next);
    const unload = (event: BeforeUnloadEvent): void => event.preventDefault();
    const here = location.href;
    const path = location.pathname;
    // Back has already happened when it is told of, and before the router hears of it: only a question that blocks can undo it.
    const back = (event: PopStateEvent): void => {
      if (location.pathname === path || confirm(`${question} ${consequence}`)) return;
      event.stopImmediatePropagation();
      history.pushState(null, "", here);
    };
    guards.add(ask);
    addEventListener("beforeunload", unload);
    addEventListener("popstate", back, { capture: true });
    return () => {
      guards.delete(ask);
      removeEventListener("beforeunload", unload);
      removeEventListener("popstate", back, { capture: true });
    };
  }, [dirty]);

  const stay = (): void => setGo(undefined);
  const leave = (): void => {
    setGo(undefined);
    go?.();
  };
  return (
    <Modal opened={go !== undefined} onClose={stay} title={question} centered closeButtonProps={{ "aria-label": "Stay" }}>
      <Text size="sm">{consequence}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={leave}>
          Leave
        </Button>
        <Button onClick={stay} data-autofocus>
          Stay
        </Button>
      </Group>
    </Modal>
  );
}

const question = "Leave without saving?";
const consequence = "What you changed here is not saved and will be lost.";
