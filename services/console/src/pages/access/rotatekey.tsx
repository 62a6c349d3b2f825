import { SegmentedControl } from "@mantine/core";
import type { ApiKey } from "@gen/access/v1/api_key_pb";
import { ApiKeyService } from "@gen/access/v1/api_key_service_pb";
import { type ReactNode, useEffect, useId, useState } from "react";
import { useCaller } from "../../api/caller";
import { useChange } from "../../parts/change";
import { Confirm } from "../../parts/confirm";
import { When } from "../../parts/when";
import classes from "./access.module.css";
import { isOwn } from "./keystate";
import type { ShownKey } from "./keytext";
import { durationOf, endOf, overlaps } from "./lifetimes";

interface RotateKeyProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly apiKey: ApiKey;
  readonly onText: (key: ShownKey) => void;
}

/** Makes a successor with the same name, role, account and lifetime. */
export function RotateKey({ opened, onClose, apiKey, onText }: RotateKeyProps): ReactNode {
  const { name: own } = useCaller();
  const label = useId();
  const [overlap, setOverlap] = useState("1h");
  useEffect(() => {
    if (opened) setOverlap("1h");
  }, [opened]);
  const rotate = useChange(ApiKeyService.method.rotateApiKey, {
    onDone: ({ apiKey: next, text }) => onText({ name: next?.name ?? apiKey.name, text }),
  });
  const { keyId, name } = apiKey;
  const end = endOf(overlaps, overlap, new Date());
  const length = durationOf(overlaps, overlap);
  return (
    <Confirm
      opened={opened}
      onClose={onClose}
      title={`Rotate ${name}?`}
      what={[
        "A new key is made with the same name, role, account and lifetime. It is shown once.",
        end === undefined ? (
          "The former one is refused at once, by every process within 2 s."
        ) : (
          <>
            The former one works until <When time={end} />, or until its own end when that is sooner.
          </>
        ),
      ]}
      confirm="Rotate"
      action={() => rotate.send({ keyId, ...(length === undefined ? {} : { overlap: length }) })}
    >
      <div>
        <div id={label} className={classes.label}>
          Overlap
        </div>
        <SegmentedControl
          aria-labelledby={label}
          fullWidth
          size="xs"
          mt={6}
          value={overlap}
          onChange={setOverlap}
          data={overlaps.map(({ value, label: word }) => ({ value, label: word }))}
        />
      </div>
      {isOwn(keyId, own) && end === undefined && (
        <p className={classes.warning}>
          You are signed in with this key. Without an overlap you are signed out at once: keep the new one before anything else.
        </p>
      )}
    </Confirm>
  );
}
