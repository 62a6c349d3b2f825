import { Drawer as MantineDrawer } from "@mantine/core";
import { type ReactNode, useCallback, useMemo, useRef } from "react";
import { useLocation } from "wouter";
import classes from "./drawer.module.css";
import { useParams, withParams } from "./params";

export interface DrawerState {
  /** Id of what is open; "" when nothing is. */
  readonly id: string;
  readonly open: (id: string) => void;
  readonly close: () => void;
  /** Deep link, for DataTable's href. */
  readonly href: (id: string) => string;
}

const none: readonly string[] = [];

/**
 * The open detail of a page, in the query string. Opening pushes a history entry, so that Back closes. also: params that belong to the
 * detail, such as its tab; they go when it is closed or another one is opened.
 */
export function useDrawer(param: string, also: readonly string[] = none): DrawerState {
  const key = also.join(",");
  const initial = useMemo(
    () => Object.fromEntries([param, ...(key === "" ? [] : key.split(","))].map((name) => [name, ""])),
    [param, key],
  );
  const [values, set] = useParams(initial);
  const [path] = useLocation();
  const id = values[param] ?? "";
  const open = useCallback(
    (next: string) => set({ ...initial, [param]: next }, next === id ? "replace" : "push"),
    [set, initial, param, id],
  );
  const close = useCallback(() => set(initial, "close"), [set, initial]);
  const href = useCallback((next: string) => withParams(path, { [param]: next }), [path, param]);
  return { id, open, close, href };
}

interface DrawerProps {
  readonly id: string;
  readonly onClose: () => void;
  readonly title: ReactNode;
  readonly actions?: ReactNode;
  /** In pixels; a narrow window gives all it has. */
  readonly size?: number;
  readonly children: (id: string) => ReactNode;
}

/** Detail at the right, open while there is an id. The focus stays within and goes back to where it was. */
export function Drawer({ id, onClose, title, actions, size = 640, children }: DrawerProps): ReactNode {
  // While it slides away it still shows what it showed.
  const last = useRef({ id, title, actions });
  if (id !== "") last.current = { id, title, actions };
  return (
    <MantineDrawer
      opened={id !== ""}
      onClose={onClose}
      position="right"
      size={`min(${String(size)}px, 100vw)`}
      title={<span className={classes.title}>{last.current.title}</span>}
      closeButtonProps={{ "aria-label": "Close" }}
      overlayProps={{ backgroundOpacity: 0.35 }}
      classNames={{ title: classes.head ?? "" }}
    >
      {last.current.actions !== undefined && <div className={classes.actions}>{last.current.actions}</div>}
      {last.current.id !== "" && children(last.current.id)}
    </MantineDrawer>
  );
}
