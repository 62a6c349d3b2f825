import { DateTimeInput } from "../../parts/datetime";
import { Filters, FilterSelect } from "../../parts/filter";
import { type ReactNode } from "react";
import { SearchBox } from "../../parts/search";
import { actionHint, actions, entities } from "./kinds";
import { chosen, custom, ranges } from "./range";
import { TextFilter } from "./textfilter";

export interface AuditParams {
  readonly actor: string;
  readonly action: string;
  readonly entity: string;
  readonly entity_id: string;
  readonly from: string;
  readonly to: string;
  readonly range: string;
}

export const noFilter: Record<keyof AuditParams, string> = { actor: "", action: "", entity: "", entity_id: "", from: "", to: "", range: "" };

interface AuditFiltersProps {
  readonly params: AuditParams;
  readonly onChange: (change: Partial<Record<keyof AuditParams, string>>) => void;
  /** Offered for the actor. */
  readonly actors: readonly string[];
}

export function AuditFilters({ params, onChange, actors }: AuditFiltersProps): ReactNode {
  const { actor, action, entity, entity_id: entityId, from, to, range } = params;
  const shown = chosen(range, from, to);
  return (
    <>
      <Filters>
        <SearchBox label="Id of what it is about" placeholder="Id of what it is about" value={entityId} onChange={(next) => onChange({ entity_id: next.trim() })} />
        <TextFilter label="Action" placeholder="Action, such as rule." value={action} suggestions={actions} hint={actionHint} onChange={(next) => onChange({ action: next })} />
        <TextFilter label="Actor" placeholder="Actor, such as key:…" value={actor} suggestions={actors} width={240} onChange={(next) => onChange({ actor: next })} />
        <FilterSelect label="About" all="Anything" value={entity} onChange={(next) => onChange({ entity: next })} options={entities} />
        <FilterSelect
          label="Time"
          all="All"
          value={shown}
          onChange={(next) => onChange(next === custom ? { range: next } : { range: next, from: "", to: "" })}
          options={ranges}
        />
      </Filters>
      {shown === custom && (
        <Filters>
          <DateTimeInput label="From" value={from} onChange={(next) => onChange({ from: next })} />
          <DateTimeInput label="To" description="Without it: until now." value={to} onChange={(next) => onChange({ to: next })} />
        </Filters>
      )}
    </>
  );
}
