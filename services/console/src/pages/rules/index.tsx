import type { ReactNode } from "react";
import { Route, Switch } from "wouter";
import { CheckPage } from "./check";
import { ImportPage } from "./import";
import { RuleList } from "./list";

export default function Rules(): ReactNode {
  return (
    <Switch>
      <Route path="/rules/check">
        <CheckPage />
      </Route>
      <Route path="/rules/import">
        <ImportPage />
      </Route>
      <Route>
        <RuleList />
      </Route>
    </Switch>
  );
}
