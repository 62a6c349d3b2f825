import { fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { fileBytes, FileDrop, sizeText } from "../../../src/parts/filedrop";
import { show } from "./stage";

function Import({ error }: { readonly error?: string }) {
  const [file, setFile] = useState<File>();
  return (
    <>
      <FileDrop label="Deck" file={file} onChange={setFile} accept=".csv" limit={2048} description="Prices" error={error} />
      <output>{file?.name ?? "none"}</output>
    </>
  );
}

const input = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>("Deck", { selector: "input" });
const taken = (): string | null | undefined => document.querySelector("output")?.textContent;
const deck = (bytes: number, name = "deck.csv"): File => new File(["x".repeat(bytes)], name);
const choose = (...files: File[]): boolean => fireEvent.change(input(), { target: { files } });
/** What the input is described by, as a screen reader would say it. */
const described = (): string => (input().getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");

describe("a place for a file", () => {
  it("takes one that is chosen, and tells its size", () => {
    show(<Import />);
    choose(deck(1536));
    expect(taken()).toBe("deck.csv");
    expect(screen.queryByText("1.5 KiB")).not.toBeNull();
  });

  it("takes the first of those that are dropped", () => {
    show(<Import />);
    fireEvent.drop(input(), { dataTransfer: { files: [deck(1, "a.csv"), deck(1, "b.csv")] } });
    expect(taken()).toBe("a.csv");
  });

  it("keeps what it has when the choice is given up", () => {
    show(<Import />);
    choose(deck(1));
    choose();
    expect(taken()).toBe("deck.csv");
  });

  it("refuses a large one and an empty one, and says why", () => {
    show(<Import />);
    choose(deck(1));
    choose(deck(4096, "large.csv"));
    expect(taken()).toBe("none");
    expect(described()).toContain("large.csv has 4.0 KiB; at most 2.0 KiB can be sent.");
    expect(input().getAttribute("aria-invalid")).toBe("true");
    choose(deck(0, "empty.csv"));
    expect(described()).toContain("empty.csv is empty.");
    choose(deck(1));
    expect(input().getAttribute("aria-invalid")).toBe("false");
  });

  it("gives it back, and takes the same one again", () => {
    show(<Import />);
    choose(deck(1));
    fireEvent.click(screen.getByLabelText("Remove deck.csv"));
    expect(taken()).toBe("none");
    expect(document.activeElement).toBe(input());
    expect(input().value).toBe("");
    choose(deck(1));
    expect(taken()).toBe("deck.csv");
  });

  it("shows what a form found wrong", () => {
    show(<Import error="Choose a file." />);
    expect(described()).toContain("Choose a file.");
    expect(described()).toContain("Prices");
    expect(input().getAttribute("aria-invalid")).toBe("true");
  });
});

describe("a file", () => {
  it.each([
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1024 * 1024, "1 MiB"],
    [1.5 * 1024 * 1024, "1.5 MiB"],
  ])("of %i bytes has %s", (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });

  it("is read as bytes", async () => {
    const bytes = new Uint8Array([0, 255, 10]);
    const file = { arrayBuffer: () => Promise.resolve(bytes.buffer) } as unknown as File;
    expect(await fileBytes(file)).toEqual(bytes);
  });
});
