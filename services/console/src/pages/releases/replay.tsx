import { Button, Group, MultiSelect, Paper, Radio, Select, SimpleGrid, Stack, Text, TextInput } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import type { Release, ReplayReport } from "@gen/releases/v1/release_pb";
import type { ReplayReleaseRequestSchema } from "@gen/releases/v1/release_pb";
import { type FormEvent, type ReactNode, useState } from "react";
import { DateTimeInput } from "../../parts/datetime";
import { FileDrop, fileBytes } from "../../parts/filedrop";
import { FormProblem } from "../../parts/formproblem";
import type { Job } from "../../parts/job";
import { useOperatorNames } from "../../parts/names";
import { useListParam, useParam, useParams } from "../../parts/params";
import { Progress } from "../../parts/progress";
import { BaseSelect, usualBase } from "./changes";
import { complaints, type ReplayInput, replayRequest, spans, usualInput } from "./replayinput";
import { Report } from "./replayreport";
import classes from "./releases.module.css";

export type ReplayJob = Job<typeof ReplayReleaseRequestSchema, ReplayReport>;

interface ReplayProps {
  readonly job: ReplayJob;
  readonly release: Release;
  readonly active: Release | undefined;
  readonly releases: readonly Release[];
}

/** Tries a release on a sample: who moves where, what it costs, who loses the route. */
export function Replay({ job, release, active, releases }: ReplayProps): ReactNode {
  const [input, setInput] = useParams({ ...usualInput });
  const [down, setDown] = useListParam("down");
  const [base, setBase] = useParam("base");
  const [file, setFile] = useState<File>();
  const [tried, setTried] = useState(false);
  const { live } = useOperatorNames();
  const wrong = tried ? complaints(input, file) : {};
  const change = (part: Partial<ReplayInput>): void => {
    setInput(part);
  };
  const start = async (): Promise<void> => {
    setTried(true);
    if (Object.keys(complaints(input, file)).length > 0) return;
    const baseReleaseId = base === "" ? (usualBase(release, active, releases)?.releaseId ?? "") : base;
    const csv = input.sample === "file" && file !== undefined ? await fileBytes(file) : undefined;
    await job.start(replayRequest(input, { releaseId: release.releaseId, baseReleaseId, down }, new Date(), csv));
  };
  const running = job.state === "running";
  return (
    <div className={classes.stack}>
      <Paper component="form" withBorder p="md" onSubmit={(event: FormEvent) => { event.preventDefault(); void start(); }} noValidate aria-label="What to replay">
        <Stack>
          <Text size="sm" c="dimmed">
            A sample is decided by both releases. Nothing is sent and nothing changes. All operators are taken to be healthy but those that you
            take to be down, with the status and settings that they have in each release.
          </Text>
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <BaseSelect label="Against" value={base} onChange={setBase} release={release} active={active} releases={releases} />
            <MultiSelect
              label="Operators taken to be down"
              placeholder={down.length === 0 ? "none" : ""}
              data={live.map(({ operatorId, name }) => ({ value: operatorId, label: name }))}
              value={[...down]}
              onChange={setDown}
              searchable
              clearable
              clearButtonProps={{ "aria-label": "Take none to be down" }}
              nothingFoundMessage="No operator of that name"
            />
          </SimpleGrid>
          <Radio.Group label="Sample" value={input.sample} onChange={(sample) => { change({ sample }); }}>
            <Group mt={4}>
              <Radio value="log" label="The log of decisions" />
              <Radio value="file" label="A file of numbers" />
            </Group>
          </Radio.Group>
          {input.sample === "file" ? (
            <div>
              <FileDrop
                label="Numbers"
                file={file}
                onChange={setFile}
                accept=".csv,.txt,text/csv,text/plain"
                description="A number such as +447911123456 in each line, or CSV with the header number,account,message_type,count, of which only number is needed. Without an account only global rules count. The file is not kept."
              />
              {wrong.file !== undefined && <Text size="sm" className={classes.bad ?? ""} role="alert">{wrong.file}</Text>}
            </div>
          ) : (
            <LogFields input={input} onChange={change} wrong={wrong} />
          )}
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <DateTimeInput label="Decided at" description="With the rules and prices of that moment; empty is now." value={input.at} onChange={(at) => { change({ at }); }} error={wrong.at} />
          </SimpleGrid>
          <Group>
            <Button type="submit" leftSection={<IconPlayerPlay size={16} aria-hidden />} disabled={running}>
              Replay
            </Button>
          </Group>
        </Stack>
      </Paper>
      <Progress job={job} label="Deciding" />
      {job.state === "failed" && <FormProblem problem={job.problem} />}
      {job.state === "cancelled" && <Text size="sm" role="status">Cancelled. Nothing was changed.</Text>}
      {job.state === "done" && job.result !== undefined && <Report report={job.result} release={release} active={active} releases={releases} />}
    </div>
  );
}

interface LogFieldsProps {
  readonly input: ReplayInput;
  readonly onChange: (part: Partial<ReplayInput>) => void;
  readonly wrong: Partial<Record<keyof ReplayInput, string>>;
}

function LogFields({ input, onChange, wrong }: LogFieldsProps): ReactNode {
  return (
    <>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <Select
          label="Decisions of"
          description="The log keeps the start of a number; the last digits are made up, always the same"
          data={[...spans.map(({ value, label }) => ({ value, label })), { value: "range", label: "a time of your choice" }]}
          value={input.since}
          onChange={(since) => {
            onChange({ since: since ?? "24h" });
          }}
          allowDeselect={false}
        />
        <TextInput
          label="At most"
          description="Decisions, newest first"
          placeholder="100000"
          inputMode="numeric"
          value={input.limit}
          onChange={(event) => {
            onChange({ limit: event.currentTarget.value.trim() });
          }}
          error={wrong.limit}
        />
      </SimpleGrid>
      {input.since === "range" && (
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <DateTimeInput label="From" value={input.from} onChange={(from) => { onChange({ from }); }} error={wrong.from} />
          <DateTimeInput label="To" description="Empty is now." value={input.to} onChange={(to) => { onChange({ to }); }} error={wrong.to} />
        </SimpleGrid>
      )}
    </>
  );
}
