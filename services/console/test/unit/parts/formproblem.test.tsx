import { Code } from "@connectrpc/connect";
import { TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { Problem } from "../../../src/api/errors";
import { useViolations } from "../../../src/parts/fields";
import { FormProblem } from "../../../src/parts/formproblem";
import { show } from "./stage";

const problem = (...fields: string[]): Problem => ({
  title: "Something is not right yet",
  message: "Two fields are wrong.",
  code: Code.InvalidArgument,
  reason: "VALIDATION_FAILED",
  requestId: "r-1",
  violations: fields.map((field) => ({ field, message: `${field} is wrong` })),
});

const binding = { root: "operator", paths: { "tps_limit.max_tps": "maxTps" } };

function Form({ refused }: { readonly refused?: Problem | undefined }) {
  const form = useForm({ initialValues: { name: "", maxTps: "" } });
  const rest = useViolations(form, refused, binding);
  return (
    <form>
      <FormProblem problem={refused} rest={rest} />
      <TextInput label="Name" {...form.getInputProps("name")} />
      <TextInput label="TPS" {...form.getInputProps("maxTps")} />
    </form>
  );
}

const described = (label: string): string => {
  const ids = screen.getByLabelText(label).getAttribute("aria-describedby") ?? "";
  return ids.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");
};

describe("what a form was refused for", () => {
  it("is nothing at first", () => {
    show(<FormProblem problem={undefined} />);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("is told, and gets the focus", () => {
    const { rerender } = show(<FormProblem problem={undefined} />);
    rerender(<FormProblem problem={problem("host")} />);
    const alert = screen.getByRole("alert");
    expect(document.activeElement).toBe(alert);
    for (const text of ["Something is not right yet", "Two fields are wrong.", "host is wrong", "VALIDATION_FAILED", "r-1"]) expect(alert.textContent).toContain(text);
  });

  it("gets the focus again when it is refused again", () => {
    const { rerender } = show(<FormProblem problem={problem()} />);
    screen.getByRole("alert").blur();
    rerender(<FormProblem problem={problem()} />);
    expect(document.activeElement).toBe(screen.getByRole("alert"));
  });

  it("stands at its fields, and above the form where there is none", () => {
    const { rerender } = show(<Form />);
    rerender(<Form refused={problem("operator.name", "operator.tpsLimit.maxTps", "requestId")} />);
    expect(described("Name")).toContain("operator.name is wrong");
    expect(described("TPS")).toContain("operator.tpsLimit.maxTps is wrong");
    expect(screen.getAllByRole("listitem").map((one) => one.textContent)).toEqual(["requestId requestId is wrong"]);
  });

  it("is another the next time", () => {
    const { rerender } = show(<Form refused={problem("operator.name")} />);
    rerender(<Form refused={problem("operator.tpsLimit.maxTps")} />);
    expect(described("Name")).toBe("");
    expect(described("TPS")).toContain("is wrong");
  });
});
