import { type ReactNode, useEffect, useState } from "react";
import { useLive } from "../live/events";
import { Stale } from "../parts/states";

/** A short break is nobody's concern. */
const patience = 5_000;

/** Says that live updates stopped, once that lasts. */
export function LostBanner(): ReactNode {
  const { link } = useLive();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (link.state !== "lost") return;
    const timer = setTimeout(() => {
      setShown(true);
    }, patience);
    return () => {
      clearTimeout(timer);
      setShown(false);
    };
  }, [link]);
  return shown && link.state === "lost" ? <Stale since={link.since} /> : null;
}
