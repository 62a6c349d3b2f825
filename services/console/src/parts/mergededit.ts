import { Code, ConnectError } from "@connectrpc/connect";
import { useState } from "react";
import { describe, type Problem } from "../api/errors";
import { isConflict } from "./merge";

interface MergedEdit<T> {
  /** What somebody else stored meanwhile; undefined while no merge is open. */
  readonly theirs: T | undefined;
  /** For FormProblem: why nothing was saved and no merge is open. */
  readonly problem: Problem | undefined;
  /** Saves what the form holds; after a conflict theirs is read. Never rejects: undefined means that problem or theirs says why. */
  readonly save: <R>(send: () => Promise<R>) => Promise<R | undefined>;
  /** For Merge; after another conflict theirs is read anew. Rejects. */
  readonly merge: (send: (theirs: T) => Promise<unknown>) => Promise<unknown>;
  readonly close: () => void;
}

/** An edit that somebody else may come before. refused is the problem of the change, read gives what is stored now. */
export function useMergedEdit<T>(refused: Problem | undefined, read: () => Promise<T | undefined>): MergedEdit<T> {
  const [theirs, setTheirs] = useState<T>();
  const [saving, setSaving] = useState(false);
  const [unread, setUnread] = useState<Problem>();

  const readTheirs = async (): Promise<void> => {
    const now = await read();
    if (now === undefined) throw new ConnectError("The server gave nothing to compare with.", Code.NotFound);
    setTheirs(now);
  };
  const save = async <R>(send: () => Promise<R>): Promise<R | undefined> => {
    setSaving(true);
    setUnread(undefined);
    try {
      return await send();
    } catch (error) {
      if (!isConflict(describe(error))) return undefined;
      await readTheirs().catch((failure: unknown) => {
        setUnread({ ...describe(failure), title: "Somebody else changed this meanwhile, and their version cannot be read" });
      });
      return undefined;
    } finally {
      setSaving(false);
    }
  };
  const merge = async (send: (theirs: T) => Promise<unknown>): Promise<unknown> => {
    if (theirs === undefined) return undefined;
    try {
      return await send(theirs);
    } catch (error) {
      if (isConflict(describe(error))) await readTheirs();
      throw error;
    }
  };
  // Between a conflict and the merge nothing is shown: it would take the focus for a moment.
  const problem = saving || theirs !== undefined ? undefined : (unread ?? refused);
  return { theirs, problem, save, merge, close: () => setTheirs(undefined) };
}
