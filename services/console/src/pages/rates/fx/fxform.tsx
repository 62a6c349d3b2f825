import { ActionIcon, Button, Select, TextInput } from "@mantine/core";
import { RateService } from "@gen/operators/v1/rate_service_pb";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { type FormEvent, type ReactNode, useRef, useState } from "react";
import { describe, type Problem } from "../../../api/errors";
import { useChange } from "../../../parts/change";
import { useConfirm } from "../../../parts/confirm";
import { counted } from "../../../parts/figures";
import { FormProblem } from "../../../parts/formproblem";
import { useLeaveGuard } from "../../../parts/leave";
import classes from "./fx.module.css";
import { baseOf, changesOf, changeText, type FxText, readTable, textOf, type Worth } from "./fxtable";

interface FxFormProps {
  readonly rates: readonly Worth[];
  readonly onClose: () => void;
  /** The table as it is now; undefined when it cannot be read. */
  readonly refetch: () => Promise<readonly Worth[] | undefined>;
}

/** Warnings that a confirmation shows; the rest is counted. */
const shown = 5;

/** The whole table at once: it is stored as one. */
export function FxForm({ rates, onClose, refetch }: FxFormProps): ReactNode {
  const [before] = useState(() => rates.map(({ currencyCode, rateNanos }) => ({ currencyCode, rateNanos })));
  const [lines, setLines] = useState<readonly FxText[]>(() => (rates.length === 0 ? [{ key: 0, code: "EUR", worth: "1" }] : textOf(rates)));
  const [base, setBase] = useState(() => baseOf(rates) || "EUR");
  const [tried, setTried] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const [checking, setChecking] = useState(false);
  const next = useRef(lines.length);
  const [ask, dialog] = useConfirm();
  const undo = useChange(RateService.method.setFxRates, { invalidates: [RateService, RoutingRuleService] });
  const change = useChange(RateService.method.setFxRates, {
    invalidates: [RateService, RoutingRuleService],
    done: "The exchange rates are stored",
    undo: () => (before.length === 0 ? undefined : () => undo.send({ fxRates: before })),
    onDone: onClose,
  });
  const { rates: typed, complaints } = readTable(lines, base);
  const changes = changesOf(before, typed);
  const guard = useLeaveGuard(complaints.size > 0 || changes.length > 0);

  const edit = (key: number, part: Partial<FxText>): void =>
    setLines((all) => all.map((line) => (line.key === key ? { ...line, ...part } : line)));
  // Renaming the base keeps it the base.
  const rename = (line: FxText, code: string): void => {
    if (line.code === base) setBase(code);
    edit(line.key, { code });
  };

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    setProblem(undefined);
    if (complaints.size > 0 || checking) return;
    if (changes.length === 0) {
      onClose();
      return;
    }
    setChecking(true);
    try {
      const fxRates = [...typed];
      const answer = await change.check({ fxRates });
      const present = await refetch();
      const meanwhile = present === undefined ? 0 : changesOf(before, present).length;
      ask({
        title: "Store these exchange rates?",
        what: [
          ...(meanwhile === 0 ? [] : [`Somebody changed ${counted(meanwhile, ["currency", "currencies"])} since you began. Your table replaces theirs.`]),
          ...changes.map((one) => changeText(one, base)),
          ...answer.warnings.slice(0, shown).map((warning) => warning.message),
          ...(answer.warningCount > BigInt(shown) ? [`${counted(answer.warningCount - BigInt(shown), ["more warning", "more warnings"])} of this kind: check all rules afterwards.`] : []),
        ],
        confirm: "Store",
        danger: answer.warningCount > 0n || meanwhile > 0,
        action: () => change.send({ fxRates }),
      });
    } catch (error) {
      setProblem(describe(error));
    } finally {
      setChecking(false);
    }
  };

  return (
    <form className={classes.form} onSubmit={(event) => void submit(event)} noValidate>
      <FormProblem problem={problem} />
      <Select
        label="Base currency"
        description="It has 1; all others say what one unit of theirs is worth in it. With another base all worths have to be typed anew."
        data={[...new Set(lines.map(({ code }) => code).filter((code) => /^[A-Z]{3}$/.test(code)))]}
        value={base}
        onChange={(code) => code !== null && setBase(code)}
        allowDeselect={false}
        maw={420}
      />
      <ul className={classes.lines} aria-label="Currencies">
        {lines.map((line) => (
          <li key={line.key} className={classes.line}>
            <TextInput
              aria-label="Currency"
              placeholder="USD"
              value={line.code}
              maxLength={3}
              spellCheck={false}
              onChange={(event) => rename(line, event.currentTarget.value.toUpperCase())}
              error={tried ? complaints.get(line.key)?.code : undefined}
              w={92}
            />
            <TextInput
              aria-label={`Worth of one ${line.code} in ${base}`}
              placeholder={`Worth of one ${line.code === "" ? "unit" : line.code}`}
              inputMode="decimal"
              value={line.code === base ? "1" : line.worth}
              readOnly={line.code === base}
              onChange={(event) => edit(line.key, { worth: event.currentTarget.value })}
              error={tried ? complaints.get(line.key)?.worth : undefined}
              rightSection={<span className={classes.unit}>{base}</span>}
              rightSectionWidth={48}
              className={classes.worth}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`Remove ${line.code === "" ? "this currency" : line.code}`}
              disabled={line.code === base}
              onClick={() => setLines((all) => all.filter(({ key }) => key !== line.key))}
            >
              <IconTrash size={17} aria-hidden />
            </ActionIcon>
          </li>
        ))}
      </ul>
      <Button
        variant="default"
        size="sm"
        leftSection={<IconPlus size={16} aria-hidden />}
        disabled={lines.length >= 200}
        onClick={() => setLines((all) => [...all, { key: next.current++, code: "", worth: "" }])}
        className={classes.add}
      >
        Add a currency
      </Button>
      <div className={classes.buttons}>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" loading={checking || change.pending}>
          Store the table
        </Button>
      </div>
      {guard}
      {dialog}
    </form>
  );
}
