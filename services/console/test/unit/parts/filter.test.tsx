import { fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { FilterChips, FilterSelect } from "../../../src/parts/filter";
import { show } from "./stage";

const options = [
  { value: "active", label: "Active" },
  { value: "suspended", label: "Suspended" },
];

function One({ initial = "" }: { readonly initial?: string }) {
  const [value, setValue] = useState(initial);
  return (
    <>
      <FilterSelect label="State" value={value} onChange={setValue} options={options} />
      <output>{value === "" ? "all" : value}</output>
    </>
  );
}

function Several() {
  const [value, setValue] = useState<readonly string[]>([]);
  return (
    <>
      <FilterChips label="States" value={value} onChange={setValue} options={options} />
      <output>{value.join(" and ")}</output>
    </>
  );
}

const chosen = (): string | null | undefined => document.querySelector("output")?.textContent;

describe("a filter by one value", () => {
  it("says what it filters while it shows all", () => {
    show(<One />);
    expect(screen.queryByPlaceholderText("State: all")).not.toBeNull();
  });

  it("takes one of its options", () => {
    show(<One />);
    fireEvent.click(screen.getByPlaceholderText("State: all"));
    fireEvent.click(screen.getByText("Suspended"));
    expect(chosen()).toBe("suspended");
  });

  it("shows all again when it is cleared", () => {
    show(<One initial="active" />);
    expect(screen.queryByDisplayValue("Active")).not.toBeNull();
    fireEvent.click(screen.getByLabelText("Clear state"));
    expect(chosen()).toBe("all");
  });
});

describe("a filter by several values", () => {
  it("has a name, and takes and gives back each", () => {
    show(<Several />);
    expect(screen.queryByRole("group", { name: "States" })).not.toBeNull();
    fireEvent.click(screen.getByLabelText("Active"));
    fireEvent.click(screen.getByLabelText("Suspended"));
    expect(chosen()).toBe("active and suspended");
    fireEvent.click(screen.getByLabelText("Active"));
    expect(chosen()).toBe("suspended");
  });
});
