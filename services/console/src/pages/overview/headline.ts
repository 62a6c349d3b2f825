import type { Tone } from "../../parts/status";
import { carries } from "../../live/present";
import type { Alert, Situation } from "./alerts";
import { rateText } from "./traffic";

export interface Headline {
  readonly tone: Tone;
  readonly text: string;
  /** What changes all the time, and is not worth saying aloud. */
  readonly aside: string;
  /** What it is about, when that is one thing: it needs no line of its own. */
  readonly alert?: Alert;
}

/** Whether it is all right, in one sentence. undefined while too little is known to say so. */
export function headlineOf(situation: Situation, alerts: readonly Alert[]): Headline | undefined {
  const { operators, process } = situation;
  const aside = situation.traffic === undefined ? "" : `${rateText(situation.traffic.perSecond)} decisions/s`;
  const [worst] = alerts;
  if (worst !== undefined) {
    const text = worst.headline ?? worst.text;
    const rest = alerts.filter((one) => one !== worst && (one.headline ?? one.text) !== text).length;
    return {
      tone: worst.severity === "critical" ? "bad" : "warning",
      text: rest === 0 ? text : `${text}, and ${String(rest)} more ${rest === 1 ? "thing needs" : "things need"} attention`,
      aside,
      ...(worst.headline === undefined ? { alert: worst } : {}),
    };
  }
  if (operators === undefined || process === undefined) return undefined;
  if (operators.length === 0) return { tone: "idle", text: "Nothing to route yet: there are no operators", aside };
  const carrying = operators.filter(carries).length;
  if (carrying === 0) return { tone: "idle", text: "No operator has been heard of yet", aside };
  return { tone: "good", text: `All good: ${String(carrying)} ${carrying === 1 ? "operator carries" : "operators carry"}`, aside };
}
