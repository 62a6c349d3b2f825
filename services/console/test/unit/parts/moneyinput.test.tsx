import { fireEvent, screen } from "@testing-library/react";
import { useState } from "react";
import { describe, expect, it } from "vitest";
import { type MoneyText, moneyComplaint, moneyText } from "../../../src/parts/money";
import { MoneyInput } from "../../../src/parts/moneyinput";
import { show } from "./stage";

function Price({ initial, told = false }: { readonly initial: MoneyText; readonly told?: boolean }) {
  const [value, setValue] = useState(initial);
  return (
    <>
      <MoneyInput label="Price" value={value} onChange={setValue} description="Per segment" error={told ? moneyComplaint(value, true) : undefined} />
      <output>{`${value.amount} ${value.currency}`}</output>
    </>
  );
}

const amount = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>("Price");
const currency = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>("Price: currency", { selector: "input" });
const held = (): string | null | undefined => document.querySelector("output")?.textContent;
const described = (): string => (amount().getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ");

describe("an input of money", () => {
  it("shows billionths as they are", () => {
    show(<Price initial={moneyText({ nanos: 9_007_199_254_740_993_001n, currencyCode: "EUR" })} />);
    expect(amount().value).toBe("9007199254.740993001");
    expect(currency().value).toBe("EUR");
  });

  it("keeps what is typed as text, a comma too", () => {
    show(<Price initial={moneyText(undefined)} />);
    fireEvent.change(amount(), { target: { value: "0,0125" } });
    expect(held()).toBe("0,0125 EUR");
  });

  it("takes a currency in any case, of three letters", () => {
    show(<Price initial={moneyText(undefined)} />);
    fireEvent.change(currency(), { target: { value: " usdx" } });
    expect(held()).toBe(" USD");
  });

  it("offers the usual currencies", () => {
    show(<Price initial={{ amount: "1", currency: "" }} />);
    fireEvent.click(currency());
    fireEvent.click(screen.getByText("CHF"));
    expect(held()).toBe("1 CHF");
  });

  it("tells what is wrong at the amount", () => {
    show(<Price initial={{ amount: "0.0000000001", currency: "EUR" }} told />);
    expect(amount().getAttribute("aria-invalid")).toBe("true");
    expect(described()).toContain("at most 9 decimals");
    expect(described()).toContain("Per segment");
    fireEvent.change(amount(), { target: { value: "0.1" } });
    expect(amount().getAttribute("aria-invalid")).not.toBe("true");
    expect(described()).not.toContain("decimals");
  });
});
