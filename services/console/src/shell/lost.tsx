import { IconClockPause } from "@tabler/icons-react";
import { type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useLive } from "../live/events";
import styles from "./shell.module.css";

/** A short break is nobody's concern. In milliseconds. */
const patience = 5_000;

/**
 * Says once that what is shown may be old, and since when, as soon as that lasts. It stands in room that every page leaves under the
 * header, so that nothing moves.
 */
export function LostBanner(): ReactNode {
  const { link } = useLive();
  const [location] = useLocation();
  const [shown, setShown] = useState(false);
  const lost = link.state === "lost";
  useEffect(() => {
    if (!lost) return;
    const timer = setTimeout(() => {
      setShown(true);
    }, patience);
    return () => {
      clearTimeout(timer);
      setShown(false);
    };
  }, [lost]);
  // The overview is about what is wrong, and says it in its own words.
  if (!shown || link.state !== "lost" || location === "/") return null;
  return (
    <p className={styles.lost} role="status">
      <IconClockPause size={15} aria-hidden />
      {link.silent ? "The server does not answer." : "Live updates stopped."} Figures are from {link.since.toLocaleTimeString()}.
    </p>
  );
}
