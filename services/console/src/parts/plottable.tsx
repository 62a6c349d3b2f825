import { VisuallyHidden } from "@mantine/core";
import { memo, type ReactNode, useEffect, useState } from "react";
import type { PlotSeries } from "./plotdata";
import { openWords, timeText, valueText } from "./plottext";

interface PlotTableProps {
  readonly label: string;
  readonly times: readonly number[];
  readonly series: readonly PlotSeries[];
  readonly text: (value: number) => string;
  /** Place in times from which on nothing is complete. */
  readonly open: number;
}

/** Newest points that the table tells. */
const points = 30;
/** Live plots change every second; a table that does as well can be read by nobody. In milliseconds. */
const pause = 10_000;

/** The newest points as a table that only screen readers see. */
export function PlotTable(props: PlotTableProps): ReactNode {
  const [shown, setShown] = useState(props);
  const [at, setAt] = useState(() => Date.now());
  useEffect(() => {
    const wait = Math.max(0, at + pause - Date.now());
    const sameShape = shown.series.length === props.series.length && shown.times.length > 0;
    const timer = setTimeout(
      () => {
        setShown(props);
        setAt(Date.now());
      },
      sameShape ? wait : 0,
    );
    return () => clearTimeout(timer);
  }, [props.times, props.series, props.open]);
  return <Rows {...shown} />;
}

const Rows = memo(function Rows({ label, times, series, text, open }: PlotTableProps): ReactNode {
  const first = Math.max(0, times.length - points);
  return (
    <VisuallyHidden>
      <table>
        <caption>
          {label}, the newest {times.length - first} points
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((one) => (
              <th key={one.label} scope="col">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.slice(first).map((time, index) => (
            <tr key={time}>
              <th scope="row">
                {timeText(time)}
                {first + index >= open && `, ${openWords}`}
              </th>
              {series.map((one) => (
                <td key={one.label}>{valueText(one.values[first + index], text)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </VisuallyHidden>
  );
});
