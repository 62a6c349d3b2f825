import { Code, ConnectError } from "@connectrpc/connect";
import { useQuery } from "@tanstack/react-query";
import { fireEvent, screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { Answer } from "../../../src/parts/answer";
import { Empty } from "../../../src/parts/states";
import { show } from "./stage";

interface Reply {
  readonly names: readonly string[];
  readonly freshness?: object;
}

/** Answers with what it is told, one after the other. */
function server(...answers: (Reply | Error)[]) {
  return () => {
    const next = answers.shift();
    if (next === undefined) return new Promise<Reply>(() => undefined);
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  };
}

function Names({ read }: { readonly read: () => Promise<Reply> }) {
  const query = useQuery({ queryKey: ["names"], queryFn: read });
  return (
    <>
      <button onClick={() => void query.refetch()}>Read again</button>
      <Answer query={query} height={120} needs="an admin" empty={({ names }) => (names.length === 0 ? <Empty title="No names" /> : undefined)}>
        {({ names }) => <p>{names.join(", ")}</p>}
      </Answer>
    </>
  );
}

const away = new ConnectError("the database is away", Code.Unavailable);

describe("an answer", () => {
  it("takes the place of what will come while it loads", () => {
    show(<Names read={server()} />);
    expect(screen.getByLabelText("Loading").style.height).toBe("120px");
  });

  it("is shown when it is there", async () => {
    show(<Names read={server({ names: ["North", "South"] })} />);
    await waitFor(() => expect(screen.queryByText("North, South")).not.toBeNull());
    expect(screen.queryByLabelText("Loading")).toBeNull();
  });

  it("that holds nothing says so", async () => {
    show(<Names read={server({ names: [] })} />);
    await waitFor(() => expect(screen.queryByText("No names")).not.toBeNull());
  });

  it("that failed tells why, and is asked for again", async () => {
    show(<Names read={server(away, { names: ["North"] })} />);
    await waitFor(() => expect(screen.queryByText("the database is away")).not.toBeNull());
    fireEvent.click(screen.getByText("Try again"));
    await waitFor(() => expect(screen.queryByText("North")).not.toBeNull());
  });

  it("that the caller may not see tells who may", async () => {
    show(<Names read={server(new ConnectError("no", Code.PermissionDenied))} />);
    await waitFor(() => expect(screen.queryByText(/Only an admin may see this/)).not.toBeNull());
    expect(screen.queryByText("Try again")).toBeNull();
  });

  it("stays when a newer one does not come, and says that it is old", async () => {
    show(<Names read={server({ names: ["North"] }, away, { names: ["South"] })} />);
    await screen.findByText("North");
    fireEvent.click(screen.getByText("Read again"));
    await waitFor(() => expect(screen.queryByText(/Not up to date: the database is away/)).not.toBeNull());
    expect(screen.queryByText("North")).not.toBeNull();
    fireEvent.click(screen.getByText("Try again"));
    await waitFor(() => expect(screen.queryByText("South")).not.toBeNull());
    expect(screen.queryByText(/Not up to date/)).toBeNull();
  });

  it("of a replica says how far it is behind", async () => {
    show(<Names read={server({ names: ["North"], freshness: { $typeName: "trunkline.operators.v1.Freshness", stale: true, age: { seconds: 3n, nanos: 0 } } })} />);
    await waitFor(() => expect(screen.queryByText(/from a replica, at most 3 s behind/)).not.toBeNull());
    expect(screen.queryByText("North")).not.toBeNull();
  });
});
