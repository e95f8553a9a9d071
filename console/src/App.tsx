import { Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";

import { Lines } from "./parts/States";
import { useSession } from "./session/session";
import { NoPage } from "./shell/NoPage";
import * as pages from "./shell/pages";
import { Shell } from "./shell/Shell";

export function App() {
  const { may, session } = useSession();
  const home = session.roles.includes("agent")
    ? "/desk"
    : may("supervisor")
      ? "/board"
      : may("agent")
        ? "/desk"
        : "/calls";
  return (
    <Shell>
      <Suspense fallback={<Lines count={8} />}>
        <Switch>
          <Route path="/">
            <Redirect to={home} replace />
          </Route>
          {may("agent") && <Route path="/desk" component={pages.Desk} />}
          {may("agent") && <Route path="/callbacks" component={pages.Callbacks} />}
          {may("agent") && <Route path="/voicemails" component={pages.Voicemails} />}
          {may("supervisor") && <Route path="/board" component={pages.Board} />}
          {may("supervisor") && <Route path="/live/:call" component={pages.Live} />}
          {(may("supervisor") || may("operator")) && <Route path="/calls" component={pages.Calls} />}
          <Route path="/calls/:call" component={pages.Call} />
          {may("administrator") && <Route path="/users" component={pages.Users} />}
          {may("administrator") && <Route path="/tokens" component={pages.Tokens} />}
          {may("administrator") && <Route path="/audit" component={pages.Audit} />}
          <Route component={NoPage} />
        </Switch>
      </Suspense>
    </Shell>
  );
}
