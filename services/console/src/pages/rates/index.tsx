import type { ReactNode } from "react";
import { Route, Switch } from "wouter";
import { Role, useMay } from "../../api/caller";
import { Page } from "../../parts/page";
import { Forbidden } from "../../parts/states";
import { Wizard } from "./import/wizard";
import { RatesPage } from "./list";

export default function Rates(): ReactNode {
  const mayImport = useMay(Role.OPERATOR);
  return (
    <Switch>
      <Route path="/rates">
        <RatesPage />
      </Route>
      <Route path="/rates/import">
        {mayImport ? (
          <Wizard />
        ) : (
          <Page title="Import a rate deck">
            <Forbidden needs="an operator or an admin" />
          </Page>
        )}
      </Route>
      <Route>
        <Page title="Nothing here">There is no page at this address. The link may be old.</Page>
      </Route>
    </Switch>
  );
}
