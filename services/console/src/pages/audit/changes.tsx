import { Switch } from "@mantine/core";
import { type ReactNode, useMemo, useState } from "react";
import { counted } from "../../parts/figures";
import { StatusBadge, type Tone } from "../../parts/status";
import classes from "./audit.module.css";
import { type Change, difference, type FieldChange } from "./difference";

interface ChangesProps {
  readonly before: string;
  readonly after: string;
}

const words: Readonly<Record<Change, string>> = { added: "Added", removed: "Removed", changed: "Changed", same: "Same" };
const tones: Readonly<Record<Change, Tone>> = { added: "good", removed: "bad", changed: "info", same: "idle" };

/** A summary of a large import may have thousands of fields. */
const most = 500;

/** What a row changed, field by field. */
export function Changes({ before, after }: ChangesProps): ReactNode {
  const [all, setAll] = useState(false);
  const fields = useMemo(() => difference(before, after), [before, after]);
  if (before === "" && after === "") return <p className={`${classes.prose ?? ""} ${classes.dim ?? ""}`}>This row has no content.</p>;
  if (fields === undefined) return <Raw before={before} after={after} />;
  const changed = fields.filter(({ change }) => change !== "same");
  const same = fields.length - changed.length;
  const shown = (all ? fields : changed).slice(0, most);
  return (
    <div className={classes.stack}>
      {same > 0 && (
        <Switch
          size="xs"
          label={`${counted(same, ["field", "fields"])} that did not change too`}
          checked={all}
          onChange={(event) => setAll(event.currentTarget.checked)}
        />
      )}
      {shown.length === 0 ? (
        <p className={classes.prose}>Nothing differs.</p>
      ) : (
        <table className={classes.difference} aria-label="Fields before and after">
          <thead>
            <tr>
              <th scope="col">Field</th>
              {before !== "" && <th scope="col">Before</th>}
              <th scope="col">{before === "" ? "Value" : "After"}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((field) => (
              <Field key={field.path} field={field} pair={before !== ""} />
            ))}
          </tbody>
        </table>
      )}
      {(all ? fields : changed).length > most && <p className={classes.prose}>Only the first {most} fields are shown. The export has all of them.</p>}
    </div>
  );
}

function Field({ field: { path, change, before, after }, pair }: { readonly field: FieldChange; readonly pair: boolean }): ReactNode {
  return (
    <tr data-change={change}>
      <th scope="row">
        <span className={classes.value}>{path}</span>{" "}
        {pair && change !== "same" && (
          <StatusBadge tone={tones[change]} quiet>
            {words[change]}
          </StatusBadge>
        )}
      </th>
      {pair && (
        <td className={classes.value} data-label="Before">
          {before ?? <span className={classes.dim}>–</span>}
        </td>
      )}
      <td className={classes.value} data-label={pair ? "After" : "Value"}>
        {after ?? <span className={classes.dim}>–</span>}
      </td>
    </tr>
  );
}

/** As it is, where it is no JSON. */
function Raw({ before, after }: ChangesProps): ReactNode {
  return (
    <>
      {before !== "" && <Text label="Before" text={before} />}
      {after !== "" && <Text label="After" text={after} />}
    </>
  );
}

function Text({ label, text }: { readonly label: string; readonly text: string }): ReactNode {
  return (
    <div>
      <p className={classes.prose}>{label}</p>
      <pre className={classes.raw} tabIndex={0} aria-label={label}>
        {text}
      </pre>
    </div>
  );
}
