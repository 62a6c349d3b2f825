import { Button } from "@mantine/core";
import { Code } from "@connectrpc/connect";
import { type RateDiff, RateDiffSchema } from "@gen/operators/v1/rate_pb";
import { create } from "@bufbuild/protobuf";
import { RateService } from "@gen/operators/v1/rate_service_pb";
import { type ReactNode, useRef, useState } from "react";
import { Link } from "wouter";
import type { Problem } from "../../../api/errors";
import { useConfirm } from "../../../parts/confirm";
import { counted } from "../../../parts/figures";
import { fileBytes } from "../../../parts/filedrop";
import { stepOf, useJob } from "../../../parts/job";
import { useLeaveGuard } from "../../../parts/leave";
import { useOperatorNames } from "../../../parts/names";
import { Page } from "../../../parts/page";
import { useParams, withParams } from "../../../parts/params";
import { newId } from "../../../parts/requestid";
import { Apply } from "./apply";
import { BadLines, Blocked } from "./badlines";
import { guessColumns, guessCurrency } from "./columns";
import { deckRequest, emptyReading, headersRequest, type Reading, type Scope } from "./draft";
import { Mapping } from "./mapping";
import { Preview } from "./preview";
import { isStep, type Step, Steps, steps } from "./steps";
import { Upload } from "./upload";
import { dangers } from "./verdict";

/** Leaves of what a wizard was told: a change of the file makes all of it worthless. */
interface Found {
  readonly headers?: readonly string[];
  readonly diff?: RateDiff;
}

const unreadable: Problem = {
  title: "The file cannot be read",
  message: "It was moved or changed since you chose it. Choose it again.",
  code: Code.Unknown,
  reason: "",
  violations: [],
};

/** Upload, map columns, look at the changes, apply. The file itself never leaves memory but to the server. */
export function Wizard(): ReactNode {
  const [params, setParams] = useParams({ operator: "", scope: "", step: "upload", kind: "", sort: "" });
  const { operator } = params;
  const scope: Scope | "" = params.scope === "full" || params.scope === "partial" ? params.scope : "";
  const [file, setFile] = useState<File>();
  const [reading, setReading] = useState<Reading>(emptyReading);
  const [found, setFound] = useState<Found>({});
  const [moved, setMoved] = useState(false);
  const { name } = useOperatorNames();
  const check = useJob(RateService.method.importRates, (message) => stepOf(message));
  const store = useJob(RateService.method.importRates, (message) => stepOf(message), { invalidates: [RateService] });
  // Of the import itself: kept until something of it changes, so that a repeat is carried out once.
  const requestId = useRef("");
  const [ask, dialog] = useConfirm();
  const applied = store.state === "done" && store.result?.applied === true;
  const guard = useLeaveGuard(file !== undefined && !applied);

  const bad = found.diff !== undefined && found.diff.badLineCount > 0n ? found.diff : undefined;
  const furthest: Step = found.headers === undefined ? "upload" : found.diff === undefined || bad !== undefined ? "columns" : store.state === "idle" ? "changes" : "apply";
  const wanted: Step = isStep(params.step) ? params.step : "upload";
  const step = steps[Math.min(steps.indexOf(wanted), steps.indexOf(furthest))] ?? "upload";
  const go = (next: Step, how: "push" | "replace" = "push"): void => setParams({ step: next, kind: "", sort: "" }, how);

  /** What was found counts no more for what changed. */
  const forget = (kept: Found): void => {
    check.reset();
    store.reset();
    setMoved(false);
    setFound(kept);
  };
  const keepHeaders = (): Found => (found.headers === undefined ? {} : { headers: found.headers });

  const bytesOf = async (): Promise<Uint8Array | undefined> => {
    try {
      setMoved(false);
      return file === undefined ? undefined : await fileBytes(file);
    } catch {
      setMoved(true);
      return undefined;
    }
  };

  const readHeaders = async (sheet: string): Promise<void> => {
    const bytes = await bytesOf();
    if (bytes === undefined || scope === "") return;
    const diff = await check.start(headersRequest({ operatorId: operator, scope, bytes }, sheet, newId()));
    if (diff === undefined) return;
    if (diff.headers.length === 0) {
      setFound({ diff });
      return;
    }
    const columns = guessColumns(diff.headers);
    setReading((former) => ({ ...former, sheet, columns, currency: columns.currency === "" ? guessCurrency(columns.price) || former.currency : former.currency }));
    setFound({ headers: diff.headers });
    go("columns");
  };

  const preview = async (): Promise<void> => {
    const bytes = await bytesOf();
    if (bytes === undefined || scope === "") return;
    const diff = await check.start(deckRequest({ operatorId: operator, scope, bytes }, reading, newId(), true));
    if (diff === undefined) return;
    requestId.current = newId();
    store.reset();
    setFound({ headers: diff.headers.length === 0 ? (found.headers ?? []) : diff.headers, diff });
    if (diff.badLineCount === 0n) go("changes");
  };

  const apply = async (): Promise<void> => {
    const bytes = await bytesOf();
    if (bytes === undefined || scope === "") return;
    go("apply", step === "apply" ? "replace" : "push");
    await store.start(deckRequest({ operatorId: operator, scope, bytes }, reading, requestId.current, false));
  };

  const askToApply = (diff: RateDiff, how: Scope): void => {
    const what = [
      ...dangers(diff, how),
      ...(diff.endedCount > 0n ? [`${counted(diff.endedCount, ["price ends", "prices end"])}: rules by cost leave the operator out where it has no price.`] : []),
    ];
    if (what.length === 0) void apply();
    else ask({ title: `Apply the deck of ${name(operator) ?? "the operator"}?`, what, confirm: "Apply", danger: true, action: async () => void apply() });
  };

  const cancel = (
    <Button component={Link} href={withParams("/rates", { operator })} variant="subtle">
      Cancel
    </Button>
  );
  const problem = moved ? unreadable : check.problem;
  return (
    <Page title="Import a rate deck" purpose="A price list as the operator sends it. Nothing is stored before you have seen what changes.">
      <Steps current={step} />
      {bad !== undefined && (step === "columns" || (step === "upload" && found.headers === undefined)) && <Blocked count={bad.badLineCount} />}
      {step === "upload" && (
        <>
          <Upload
            file={file}
            onFile={(next) => {
              setFile(next);
              setReading(emptyReading);
              forget({});
            }}
            operator={operator}
            onOperator={(id) => {
              setParams({ operator: id });
              forget(keepHeaders());
            }}
            scope={scope}
            onScope={(next) => {
              setParams({ scope: next });
              forget(keepHeaders());
            }}
            job={check}
            problem={problem}
            lost={file === undefined && wanted !== "upload"}
            onNext={() => void readHeaders(reading.sheet)}
            cancel={cancel}
          />
          {found.headers === undefined && bad !== undefined && <BadLines lines={bad.badLines} count={bad.badLineCount} />}
        </>
      )}
      {step === "columns" && (
        <>
          <Mapping
            headers={found.headers ?? []}
            workbook={file !== undefined && /\.xlsx$/i.test(file.name)}
            reading={reading}
            onReading={(change) => {
              setReading({ ...reading, ...change });
              forget(keepHeaders());
            }}
            job={check}
            problem={problem}
            onSheet={(sheet) => void readHeaders(sheet)}
            onNext={() => void preview()}
            onBack={() => go("upload")}
            cancel={cancel}
          />
          {bad !== undefined && <BadLines lines={bad.badLines} count={bad.badLineCount} />}
        </>
      )}
      {step === "changes" && (
        <Preview
          diff={found.diff ?? create(RateDiffSchema)}
          file={file?.name ?? ""}
          scope={scope === "" ? "partial" : scope}
          operator={operator}
          onApply={() => found.diff !== undefined && scope !== "" && askToApply(found.diff, scope)}
          onBack={() => go("columns")}
          cancel={cancel}
        />
      )}
      {step === "apply" && (
        <Apply
          job={store}
          operator={operator}
          onAgain={() => void apply()}
          onBack={() => go("columns")}
          onAnother={() => {
            setFile(undefined);
            setReading(emptyReading);
            forget({});
            go("upload");
          }}
          cancel={cancel}
        />
      )}
      {guard}
      {dialog}
    </Page>
  );
}
