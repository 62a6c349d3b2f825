import { Button } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { Allowed, Role } from "../../api/caller";
import { Drawer, useDrawer } from "../../parts/drawer";
import { Page } from "../../parts/page";
import { useParams } from "../../parts/params";
import { Empty } from "../../parts/states";
import { Detail } from "./detail";
import { DecisionFilters, noFilter } from "./filters";
import { DecisionTable } from "./list";
import { DecisionLog } from "./log";
import { NumberForm, NumberShown } from "./numbersearch";
import { Refresh } from "./refresh";
import { useLook } from "./uselook";
import { useNumberSearch } from "./usenumbersearch";

/** The log of decisions, and what became of the messages. */
export default function Decisions(): ReactNode {
  const [filter, setFilter] = useParams(noFilter);
  const look = useLook(filter);
  const drawer = useDrawer("decision");
  const found = useNumberSearch();
  const [asking, setAsking] = useState(false);
  const byNumber = found.number !== "";
  return (
    <Page
      title="Decisions"
      purpose="What engines decided, what it cost and what became of the messages."
      actions={
        <>
          {!byNumber && <Refresh look={look} />}
          {!byNumber && !asking && (
            <Allowed role={Role.ADMIN} unbound>
              <Button variant="default" leftSection={<IconSearch size={16} aria-hidden />} onClick={() => setAsking(true)}>
                Find a number
              </Button>
            </Allowed>
          )}
        </>
      }
    >
      {asking && (
        <NumberForm
          onSearch={(number) => {
            setAsking(false);
            found.search(number);
          }}
          onCancel={() => setAsking(false)}
        />
      )}
      {byNumber ? (
        <>
          <NumberShown number={found.number} onClear={found.clear} />
          <DecisionTable data={found.data} drawer={drawer} empty={<Empty title="No decision about this number">The log holds none. It may have been erased, or be older than the log keeps.</Empty>} />
        </>
      ) : (
        <>
          <DecisionFilters filter={filter} window={look.window} onChange={setFilter} />
          <DecisionLog filter={filter} look={look} drawer={drawer} onClear={() => setFilter({ account: "", operator: "", prefix: "", failed: "" })} />
        </>
      )}
      <Drawer id={drawer.id} onClose={drawer.close} title="Decision" size={760}>
        {(id) => <Detail id={id} />}
      </Drawer>
    </Page>
  );
}
