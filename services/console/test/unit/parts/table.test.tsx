import { ConnectError, Code } from "@connectrpc/connect";
import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";
import { type ReactNode, useState } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useParam } from "../../../src/parts/params";
import { columnsOf, DataTable, type DataTableProps } from "../../../src/parts/table";
import { useLocalRows, useTableQuery } from "../../../src/parts/tablequery";
import { operatorServer, show } from "./stage";

interface Rule {
  readonly id: string;
  readonly prefix: string;
  readonly note: string;
}

const column = columnsOf<Rule>();
const columns = [
  column.accessor("prefix", { header: "Prefix", size: 120, meta: { narrow: true } }),
  column.accessor("note", { header: "Note", size: 200 }),
];
const rules = (count: number): Rule[] =>
  Array.from({ length: count }, (_, at) => ({ id: `r${String(at)}`, prefix: `+${String(1000 + at)}`, note: `note ${String(count - at).padStart(6, "0")}` }));

// jsdom lays nothing out: the window of the table is told to be 600 px high.
let width = 1000;
beforeEach(() => {
  width = 1000;
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockImplementation(() => width);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockImplementation(() => width);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(600);
  vi.spyOn(HTMLElement.prototype, "scrollHeight", "get").mockImplementation(function (this: HTMLElement) {
    const body = this.querySelector<HTMLElement>("[role=rowgroup]:nth-child(2)");
    return 40 + (Number.parseFloat(body?.style.height ?? "") || 0);
  });
  // Scrolling by code moves scrollTop and is told by an event, as in a browser.
  HTMLElement.prototype.scrollTo = function (this: HTMLElement, to?: ScrollToOptions | number) {
    this.scrollTop = typeof to === "object" ? (to.top ?? 0) : 0;
    this.dispatchEvent(new Event("scroll"));
  };
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Rest = Partial<DataTableProps<Rule>>;

function Table({ rows, ...rest }: Rest & { readonly rows: readonly Rule[] | undefined }) {
  const data = useLocalRows(rows);
  return <DataTable label="Rules" noun={["rule", "rules"]} columns={columns} data={data} id={(rule) => rule.id} {...rest} />;
}

function Selectable({ rows }: { readonly rows: readonly Rule[] }) {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  return <Table rows={rows} selected={selected} onSelect={setSelected} name={(rule) => rule.prefix} />;
}

function Sortable({ rows }: { readonly rows: readonly Rule[] }) {
  return <Table rows={rows} sort={useParam("sort")} />;
}

// By selector: to ask for a role looks at the style of every element, which takes longer than all else here.
const bodyRows = (): HTMLElement[] => [...document.querySelectorAll<HTMLElement>("[role=row][data-index]")];

/** Keys on what has the focus. userEvent looks at the whole document for each. */
function press(...keys: string[]): void {
  for (const key of keys) fireEvent.keyDown(document.activeElement ?? document.body, { key });
}

describe("a table of 100,000 rows", () => {
  const many = rules(100_000);

  it("renders those in its window only", () => {
    show(<Table rows={many} />);
    expect(bodyRows().length).toBeGreaterThan(5);
    expect(bodyRows().length).toBeLessThan(60);
    expect(document.querySelector("[role=grid]")?.getAttribute("aria-rowcount")).toBe("100001");
    expect(bodyRows()[0]?.getAttribute("aria-rowindex")).toBe("2");
    expect(document.querySelector("[role=status]")?.textContent).toBe("100,000 rules");
  });

  it("goes to its end by key, and keeps the focus on a row", async () => {
    show(<Table rows={many} />);
    bodyRows()[0]?.focus();
    press("End");
    await waitFor(() => expect(document.activeElement?.getAttribute("aria-rowindex")).toBe("100001"));
    expect(bodyRows().length).toBeLessThan(60);
    press("Home");
    await waitFor(() => expect(document.activeElement?.getAttribute("aria-rowindex")).toBe("2"));
  });
});

describe("the keys of a table", () => {
  it("move over rows, and Enter opens", async () => {
    const open = vi.fn();
    show(<Table rows={rules(30)} onOpen={open} />);
    bodyRows()[0]?.focus();
    press("ArrowDown", "ArrowDown", "ArrowUp", "Enter");
    expect(open.mock.calls.map(([rule]: Rule[]) => rule?.id)).toEqual(["r1"]);
    press("ArrowUp", "ArrowUp", "ArrowUp");
    expect(document.activeElement?.getAttribute("aria-rowindex")).toBe("2");
    press("PageDown");
    await waitFor(() => expect(Number(document.activeElement?.getAttribute("aria-rowindex"))).toBeGreaterThan(8));
  });

  it("reach one row by Tab, not all of them", () => {
    show(<Table rows={rules(30)} />);
    expect(bodyRows().filter((row) => row.tabIndex === 0)).toHaveLength(1);
  });

  it("select by Space", async () => {
    show(<Selectable rows={rules(3)} />);
    await userEvent.tab();
    await userEvent.tab();
    await userEvent.keyboard(" {ArrowDown} ");
    expect(screen.getByRole("status").textContent).toBe("3 rules, 2 selected");
    expect(bodyRows().map((row) => row.getAttribute("aria-selected"))).toEqual(["true", "true", "false"]);
    await userEvent.keyboard(" ");
    expect(screen.getByRole("status").textContent).toBe("3 rules, 1 selected");
  });

  it("leave buttons in a row alone", async () => {
    const open = vi.fn();
    const press = vi.fn();
    const withButton = [...columns, column.display({ id: "act", header: "Act", cell: () => <button onClick={press}>Do</button> })];
    show(<Table rows={rules(1)} columns={withButton} onOpen={open} />);
    screen.getByRole("button", { name: "Do" }).focus();
    await userEvent.keyboard("{Enter}");
    await userEvent.click(screen.getByRole("button", { name: "Do" }));
    expect(press).toHaveBeenCalledTimes(2);
    expect(open).not.toHaveBeenCalled();
  });
});

describe("a table", () => {
  it("selects all with its header", async () => {
    show(<Selectable rows={rules(3)} />);
    await userEvent.click(screen.getByRole("checkbox", { name: "Select all rules" }));
    expect(screen.getByRole("status").textContent).toBe("3 rules, 3 selected");
    await userEvent.click(screen.getByRole("checkbox", { name: "Select +1001" }));
    expect(screen.getByRole("status").textContent).toBe("3 rules, 2 selected");
  });

  it("opens a row by click and has a link of it", async () => {
    const open = vi.fn();
    show(<Table rows={rules(2)} onOpen={open} href={(rule) => `/rules?rule=${rule.id}`} />);
    expect(screen.getByRole("link", { name: "+1000" }).getAttribute("href")).toBe("/rules?rule=r0");
    await userEvent.click(screen.getByRole("link", { name: "+1000" }));
    await userEvent.click(screen.getByText("note 000001"));
    expect(open.mock.calls.map(([rule]: Rule[]) => rule?.id)).toEqual(["r0", "r1"]);
    expect(location.search).toBe("");
  });

  it("sorts what is all here, in the query string", async () => {
    show(<Sortable rows={rules(3)} />);
    await userEvent.click(screen.getByRole("button", { name: "Note" }));
    expect(location.search).toBe("?sort=note");
    expect(bodyRows().map((row) => within(row).getAllByRole("gridcell")[1]?.textContent)).toEqual(["note 000001", "note 000002", "note 000003"]);
    await userEvent.click(screen.getByRole("button", { name: "Note" }));
    expect(location.search).toBe("?sort=-note");
    expect(screen.getByRole("columnheader", { name: "Note" }).getAttribute("aria-sort")).toBe("descending");
  });

  it("has two lines a row where it is narrow", async () => {
    width = 390;
    show(<Table rows={rules(2)} />);
    await waitFor(() => expect(screen.queryByRole("columnheader", { name: "Note" })).toBeNull());
    expect(bodyRows()[0]?.style.height).toBe("64px");
    expect(bodyRows()[0]?.textContent).toContain("note 000002");
  });

  it("says that it is empty, and that it loads", () => {
    const { rerender } = show(<Table rows={[]} empty={<p>Make the first one</p>} />);
    expect(screen.queryByText("Make the first one")).not.toBeNull();
    rerender(<Table rows={undefined} />);
    expect(screen.getByRole("grid").getAttribute("aria-busy")).toBe("true");
  });
});

function Operators() {
  const [search] = useParam("q");
  const data = useTableQuery(OperatorService.method.listOperators, { search }, { rows: (page) => page.operators, pageSize: 50 });
  return (
    <DataTable
      label="Operators"
      noun={["operator", "operators"]}
      columns={[columnsOf<{ operatorId: string; name: string }>().accessor("name", { header: "Name" })]}
      data={data}
      id={(operator) => operator.operatorId}
      needs="an admin"
    />
  );
}

const page = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => ({ operatorId: `o${String(from + at)}`, name: `Operator ${String(from + at)}` }));

it.each([
  ["are told from elsewhere are said", 240, "240 rules"],
  ["nobody knows are the ones that are here, and more", undefined, "3+ rules"],
  ["are fewer than are here are not believed", 2, "3+ rules"],
])("all rows that %s", (_, total, text) => {
  const Paged = (): ReactNode => {
    const data = { ...useLocalRows(rules(3)), more: true, ...(total === undefined ? {} : { total }) };
    return <DataTable label="Rules" noun={["rule", "rules"]} columns={columns} data={data} id={(rule) => rule.id} />;
  };
  show(<Paged />);
  expect(document.querySelector("[role=status]")?.textContent).toBe(text);
});

describe("a table of server pages", () => {
  it("fetches the next page 20 rows before the end, and says + while there are more", async () => {
    const tokens: string[] = [];
    const transport = operatorServer({
      listOperators: (request) => {
        tokens.push(`${request.pageToken}/${String(request.pageSize)}`);
        const from = request.pageToken === "" ? 0 : Number(request.pageToken);
        return { operators: page(from, 50), nextPageToken: from < 100 ? String(from + 50) : "" };
      },
    });
    show(<Operators />, { transport });
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("50+ operators"));
    expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("-1");
    expect(tokens).toEqual(["/50"]);
    await userEvent.tab();
    await userEvent.keyboard("{End}");
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("100+ operators"));
    await userEvent.keyboard("{End}");
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("150 operators"));
    expect(tokens).toEqual(["/50", "50/50", "100/50"]);
  });

  it("keeps its rows when a next page fails, and tries again when asked", async () => {
    let broken = true;
    const transport = operatorServer({
      listOperators: (request) => {
        if (request.pageToken !== "" && broken) throw new ConnectError("the database is away", Code.Unavailable);
        return { operators: page(request.pageToken === "" ? 0 : 10, 10), nextPageToken: request.pageToken === "" ? "10" : "" };
      },
    });
    show(<Operators />, { transport });
    await screen.findByText("the database is away");
    expect(bodyRows()).toHaveLength(10);
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("20 operators"));
  });

  it("says who may see it when the caller may not", async () => {
    const transport = operatorServer({
      listOperators: () => {
        throw new ConnectError("no", Code.PermissionDenied);
      },
    });
    show(<Operators />, { transport });
    await waitFor(() => expect(screen.queryByText("Your role does not allow this")).not.toBeNull());
    expect(screen.queryByText(/Only an admin/)).not.toBeNull();
  });

  it("tells an error and tries again", async () => {
    let broken = true;
    const transport = operatorServer({
      listOperators: () => {
        if (broken) throw new ConnectError("the database is away", Code.Unavailable);
        return { operators: page(0, 1) };
      },
    });
    show(<Operators />, { transport });
    await screen.findByText("the database is away");
    broken = false;
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await waitFor(() => expect(screen.getByRole("status").textContent).toBe("1 operator"));
  });

  it("shows that its rows come from a replica", async () => {
    const transport = operatorServer({
      listOperators: () => ({ operators: page(0, 1), freshness: { stale: true, age: { seconds: 3n } } }),
    });
    show(<Operators />, { transport });
    await waitFor(() => expect(screen.queryByText(/from a replica, at most 3 s behind/)).not.toBeNull());
  });
});
