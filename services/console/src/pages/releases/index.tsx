import type { ReactNode } from "react";
import { Route, Switch } from "wouter";
import { Lost } from "./lost";
import { ReleaseList } from "./list";
import { ReleasePage } from "./detail";

const id = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export default function Releases(): ReactNode {
  return (
    <Switch>
      <Route path="/releases">
        <ReleaseList />
      </Route>
      <Route path="/releases/:release">{({ release }) => (id.test(release) ? <ReleasePage key={release} id={release} /> : <Lost />)}</Route>
      <Route>
        <Lost />
      </Route>
    </Switch>
  );
}
