import { Anchor, Button } from "@mantine/core";
import type { ApiKey } from "@gen/access/v1/api_key_pb";
import { IconBan, IconRefresh } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Role, useCaller, useMay } from "../../api/caller";
import { Drawer, useDrawer } from "../../parts/drawer";
import { Id } from "../../parts/number";
import { Facts } from "../../parts/page";
import { useParam, withParams } from "../../parts/params";
import { Empty, Loading } from "../../parts/states";
import { StatusBadge } from "../../parts/status";
import type { TableData } from "../../parts/tablequery";
import { When } from "../../parts/when";
import { Who } from "../../parts/who";
import { roleWord } from "../../parts/words";
import classes from "./access.module.css";
import { Scope, State, Used } from "./keycells";
import { ended, isOwn, stateOf } from "./keystate";
import type { ShownKey } from "./keytext";
import { RevokeKey } from "./revokekey";
import { RotateKey } from "./rotatekey";

interface KeyDrawerProps {
  readonly data: TableData<ApiKey>;
  readonly endedToo: boolean;
  readonly onEndedToo: () => void;
  readonly onText: (key: ShownKey) => void;
}

/** The key of ?key=, out of the list: keys cannot be asked for one by one. */
export function KeyDrawer({ data, endedToo, onEndedToo, onText }: KeyDrawerProps): ReactNode {
  const drawer = useDrawer("key", ["do"]);
  const [act, setAct] = useParam("do");
  const key = data.rows.find(({ keyId }) => keyId === drawer.id);
  const over = key !== undefined && ended(stateOf(key, new Date()));
  const stop = (): void => setAct("");
  return (
    <>
      <Drawer
        id={drawer.id}
        onClose={drawer.close}
        title={key?.name ?? "API key"}
        actions={
          key !== undefined && !over ? (
            <div className={classes.buttons}>
              <Button size="compact-sm" variant="default" leftSection={<IconRefresh size={14} aria-hidden />} onClick={() => setAct("rotate", "push")}>
                Rotate
              </Button>
              <Button size="compact-sm" variant="default" leftSection={<IconBan size={14} aria-hidden />} onClick={() => setAct("revoke", "push")}>
                Revoke
              </Button>
            </div>
          ) : undefined
        }
      >
        {() =>
          key !== undefined ? (
            <View apiKey={key} />
          ) : data.state === "loading" ? (
            <Loading height={240} />
          ) : (
            <Empty
              title="This key is not in the list"
              action={
                !endedToo ? (
                  <Button variant="default" onClick={onEndedToo}>
                    Look among ended keys
                  </Button>
                ) : data.more ? (
                  <Button variant="default" onClick={data.loadMore} loading={data.loadingMore}>
                    Look further
                  </Button>
                ) : undefined
              }
            >
              {endedToo ? "Keys are forgotten a while after they ended." : "It may have ended, or belong to another account."}
            </Empty>
          )
        }
      </Drawer>
      {key !== undefined && !over && (
        <>
          <RotateKey opened={act === "rotate"} onClose={stop} apiKey={key} onText={onText} />
          <RevokeKey opened={act === "revoke"} onClose={stop} apiKey={key} />
        </>
      )}
    </>
  );
}

function View({ apiKey }: { readonly apiKey: ApiKey }): ReactNode {
  const { name: own } = useCaller();
  const readsAudit = useMay(Role.ADMIN, true);
  const { keyId, hint, role, accountId, createdBy, createTime, expireTime, revokeTime } = apiKey;
  return (
    <div className={classes.stack}>
      <div className={classes.buttons}>
        <State apiKey={apiKey} />
        {isOwn(keyId, own) && <StatusBadge tone="info">You are signed in with it</StatusBadge>}
      </div>
      <Facts
        items={[
          { label: "Begins with", value: <span className={classes.mono}>{hint}</span> },
          { label: "Key id", value: <Id value={keyId} label="key id" /> },
          { label: "Role", value: roleWord(role) },
          { label: "Account", value: <Scope accountId={accountId} /> },
          { label: "Created", value: <When time={createTime} /> },
          { label: "Created by", value: <Who name={createdBy} /> },
          { label: "Ends", value: expireTime === undefined ? "No end" : <When time={expireTime} /> },
          { label: "Last used", value: <Used apiKey={apiKey} /> },
          ...(revokeTime === undefined ? [] : [{ label: "Revoked", value: <When time={revokeTime} /> }]),
        ]}
      />
      <p className={`${classes.prose ?? ""} ${classes.dim ?? ""}`}>Its text was shown once, when it was made. Last use is known to about a minute.</p>
      {readsAudit && (
        <nav className={classes.links} aria-label="Of this key">
          <Anchor component={Link} href={withParams("/audit", { actor: `key:${keyId}` })} inherit>What it did</Anchor>
          <Anchor component={Link} href={withParams("/audit", { entity: "api_key", entity_id: keyId })} inherit>Its history</Anchor>
        </nav>
      )}
    </div>
  );
}
