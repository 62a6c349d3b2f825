import { VisuallyHidden } from "@mantine/core";
import { IconCheck } from "@tabler/icons-react";
import { type ReactNode, useMemo } from "react";
import { Role, useCaller } from "../../api/caller";
import { Facts, Section } from "../../parts/page";
import { StatusBadge } from "../../parts/status";
import { When } from "../../parts/when";
import { roleWord } from "../../parts/words";
import classes from "./access.module.css";
import { Scope } from "./keycells";
import { type Call, matrix } from "./matrix";
import { boundTexts, roleTexts } from "./roletexts";

const roles = [Role.VIEWER, Role.OPERATOR, Role.ADMIN] as const;

/** What the roles may do, and who looks at it. */
export function Roles(): ReactNode {
  const caller = useCaller();
  const texts = caller.accountId === "" ? roleTexts : boundTexts;
  return (
    <>
      <Section title="You">
        <Facts
          items={[
            { label: "Name in the audit log", value: <span className={classes.mono}>{caller.name}</span> },
            { label: "Role", value: roleWord(caller.role) },
            { label: "Account", value: <Scope accountId={caller.accountId} /> },
            { label: "Credential ends", value: caller.expires === undefined ? "No end, or not known" : <When time={caller.expires} /> },
          ]}
        />
      </Section>
      <div className={classes.roles}>
        {roles.map((role) => (
          <section key={role} className={classes.role} data-own={role === caller.role || undefined} aria-label={`Role ${roleWord(role)}`}>
            <h2 className={classes.roleName}>
              {capital(roleWord(role))} {role === caller.role && <StatusBadge tone="info">Yours</StatusBadge>}
            </h2>
            <p className={classes.prose}>{texts[role]}</p>
          </section>
        ))}
      </div>
      <Section title="What each role may call" description="As the servers read it from the schema. A higher role includes the lower ones." flush>
        <Matrix own={caller.role} />
      </Section>
    </>
  );
}

function Matrix({ own }: { readonly own: Role }): ReactNode {
  const areas = useMemo(matrix, []);
  return (
    <table className={classes.matrix} aria-label="Calls by role">
      <thead>
        <tr>
          <th scope="col">Call</th>
          {roles.map((role) => (
            <th key={role} scope="col" className={role === own ? classes.own : undefined}>
              {capital(roleWord(role))}
            </th>
          ))}
          <th scope="col" className={classes.account}>
            Bound to an account
          </th>
        </tr>
      </thead>
      {areas.map(({ name, calls }) => (
        <tbody key={name}>
          <tr>
            <th scope="rowgroup" colSpan={5}>
              {name}
            </th>
          </tr>
          {calls.map((call) => (
            <Row key={call.name} call={call} own={own} />
          ))}
        </tbody>
      ))}
    </table>
  );
}

function Row({ call, own }: { readonly call: Call; readonly own: Role }): ReactNode {
  return (
    <tr>
      <th scope="row" title={call.name}>
        {call.words}
      </th>
      {roles.map((role) => (
        <td key={role} className={role === own ? classes.own : undefined}>
          {role >= call.role ? (
            <span className={classes.may}>
              <IconCheck size={16} aria-hidden />
              <VisuallyHidden>may</VisuallyHidden>
            </span>
          ) : (
            <span className={classes.dim}>
              <span aria-hidden>–</span>
              <VisuallyHidden>may not</VisuallyHidden>
            </span>
          )}
        </td>
      ))}
      <td className={classes.account}>{call.bound ? "Its own" : "No"}</td>
    </tr>
  );
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
