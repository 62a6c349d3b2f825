import type { ReactNode } from "react";
import { Route, Switch } from "wouter";
import { Detail } from "./detail";
import { List } from "./list";

export default function Operators(): ReactNode {
  return (
    <Switch>
      <Route path="/operators/:id">{({ id }) => <Detail key={id} operatorId={id} />}</Route>
      <Route>
        <List />
      </Route>
    </Switch>
  );
}
