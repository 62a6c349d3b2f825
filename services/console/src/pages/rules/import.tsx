import { Button } from "@mantine/core";
import { RoutingRuleService } from "@gen/operators/v1/routing_rule_service_pb";
import { IconArrowLeft, IconDownload } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { Role, useMay } from "../../api/caller";
import { FormProblem } from "../../parts/formproblem";
import { countText } from "../../parts/figures";
import { FileDrop, fileBytes } from "../../parts/filedrop";
import { stepOf, useJob } from "../../parts/job";
import { Page, Section } from "../../parts/page";
import { Progress } from "../../parts/progress";
import { Forbidden } from "../../parts/states";
import { useExport } from "./export";
import { FileFormat } from "./fileformat";
import { ImportPreview, ImportDone } from "./importresult";
import classes from "./rules.module.css";

export function ImportPage(): ReactNode {
  const allowed = useMay(Role.OPERATOR, true);
  const changes = useMay(Role.OPERATOR);
  return (
    <Page
      title="Import rules"
      purpose="Many rules at once from a CSV file. First you see what it would change; nothing is stored before you say so."
      actions={
        <Button component={Link} href="/rules" variant="default" leftSection={<IconArrowLeft size={16} aria-hidden />}>
          Rules
        </Button>
      }
    >
      {allowed ? <Import /> : <Forbidden needs="an operator" bound={changes} />}
    </Page>
  );
}

const { importRoutingRules } = RoutingRuleService.method;

function Import(): ReactNode {
  const [file, setFile] = useState<File>();
  const [csv, setCsv] = useState<Uint8Array>();
  const preview = useJob(importRoutingRules, stepOf);
  const apply = useJob(importRoutingRules, stepOf, { invalidates: [RoutingRuleService] });
  const backup = useExport();

  const choose = (chosen: File | undefined): void => {
    setFile(chosen);
    setCsv(undefined);
    preview.reset();
    apply.reset();
    if (chosen === undefined) return;
    void fileBytes(chosen).then((bytes) => {
      setCsv(bytes);
      return preview.start({ csv: bytes, validateOnly: true });
    });
  };
  const again = (): void => {
    if (csv === undefined) return;
    apply.reset();
    void preview.start({ csv, validateOnly: true });
  };
  const applied = apply.result?.applied === true;

  return (
    <div className={classes.import}>
      <Section title="File" description="A rule with the same account, prefix and message types is replaced as a whole. What the file does not name stays.">
        <div className={classes.stack}>
          <FileDrop label="CSV file of rules" file={file} onChange={choose} accept=".csv,text/csv" />
          <Progress job={preview} label="Checking the file" />
          <FormProblem problem={preview.problem ?? apply.problem} />
          {(preview.state === "failed" || preview.state === "cancelled" || apply.state === "failed") && csv !== undefined && (
            <div>
              <Button variant="default" onClick={again}>
                Check the file again
              </Button>
            </div>
          )}
        </div>
      </Section>
      {preview.state === "done" && preview.result !== undefined && !applied && (
        <Section title="What it would do">
          <ImportPreview result={apply.result ?? preview.result}>
            {apply.state !== "running" && (
              <>
                <Button disabled={csv === undefined} onClick={() => csv !== undefined && void apply.start({ csv })}>
                  Import
                </Button>
                <Button
                  variant="default"
                  leftSection={<IconDownload size={16} aria-hidden />}
                  onClick={() => (backup.running ? backup.cancel() : backup.start({}))}
                >
                  {backup.running ? `${countText(backup.count)} rules read · Cancel` : "Save all present rules first"}
                </Button>
              </>
            )}
            <Progress job={apply} label="Importing" />
          </ImportPreview>
        </Section>
      )}
      {applied && apply.result !== undefined && (
        <Section title="Done">
          <ImportDone result={apply.result} onAnother={() => choose(undefined)} />
        </Section>
      )}
      <FileFormat />
    </div>
  );
}
