import { Input, Pill, Select } from "@mantine/core";
import type { ReactNode } from "react";
import { useCaller } from "../../api/caller";
import { useOperatorNames } from "../../parts/names";
import { shortId } from "../../parts/shortid";
import classes from "./explore.module.css";
import { mostExcluded } from "./question";

interface ExcludedProps {
  readonly ids: readonly string[];
  readonly names: ReadonlyMap<string, string>;
  readonly onChange: (ids: readonly string[]) => void;
}

/** Operators to leave out, as a connector does after a failed attempt. */
export function Excluded({ ids, names, onChange }: ExcludedProps): ReactNode {
  const { accountId: bound } = useCaller();
  if (bound !== "" && ids.length === 0) return null;
  return (
    <div className={classes.excluded}>
      {bound === "" ? <Picker ids={ids} onChange={onChange} /> : <Input.Label labelElement="div">Without operators</Input.Label>}
      {ids.length > 0 && (
        <Pill.Group>
          {ids.map((id) => (
            <Pill key={id} withRemoveButton removeButtonProps={{ "aria-label": `Do not exclude ${names.get(id) ?? id}`, tabIndex: 0, "aria-hidden": false }} onRemove={() => onChange(ids.filter((one) => one !== id))}>
              {names.get(id) ?? shortId(id)}
            </Pill>
          ))}
        </Pill.Group>
      )}
    </div>
  );
}

/** Not for callers that are bound to one account: they may not list operators, and exclude from the answer. */
function Picker({ ids, onChange }: Omit<ExcludedProps, "names">): ReactNode {
  const { live, loading } = useOperatorNames();
  return (
    <Select
      label="Without operators"
      placeholder="None excluded"
      value={null}
      onChange={(id) => {
        if (id !== null) onChange([...ids, id]);
      }}
      data={live.filter(({ operatorId }) => !ids.includes(operatorId)).map(({ operatorId, name }) => ({ value: operatorId, label: name }))}
      disabled={ids.length >= mostExcluded}
      searchable
      limit={100}
      nothingFoundMessage={loading ? "Loading…" : "No operator of that name"}
    />
  );
}
