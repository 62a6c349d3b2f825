import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Copy } from "../../parts/copy";
import { download } from "../../parts/csv";
import { Section } from "../../parts/page";
import { header } from "./rulecsv";
import classes from "./rules.module.css";

const columns: readonly (readonly [name: string, value: string])[] = [
  ["account", "UUID of the account that owns the rule; empty is global"],
  ["prefix", "+ and 1 to 15 digits, the first not 0"],
  ["country", "ISO 3166-1 alpha-2 such as GB, or empty; for people, it decides nothing"],
  ["message_types", "SMS, FLASH, WAP, several joined by |; empty means all"],
  ["strategy", "COST, PRIORITY, FAILOVER or WEIGHTED"],
  ["on_exhausted", "FAIL or FALL_THROUGH; empty means FAIL"],
  ["operator", "Name or UUID of an operator, each at most once in a rule"],
  ["priority", "1 is first, to 1,000,000; empty means 1. Must differ within a PRIORITY or FAILOVER rule"],
  ["weight", "0 to 1,000,000; empty means 100"],
  ["price", "Per segment, a decimal such as 0.0125; replaces the operator's rate"],
  ["currency", "ISO 4217 such as EUR, with a price and only then"],
];

/** What a file has to look like. */
export function FileFormat(): ReactNode {
  return (
    <Section
      title="The file"
      description="CSV in UTF-8 with this header, its columns in any order. One line is one candidate; lines with equal account, prefix and message types make one rule. At most 64 MiB. Validity, description and being switched off are not in files: what is stored stays."
      actions={
        <Button variant="default" size="compact-sm" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => download("rules-template.csv", `${header}\r\n`)}>
          Empty file
        </Button>
      }
    >
      <p className={classes.header}>
        <code>{header}</code> <Copy value={header} label="Copy header" />
      </p>
      <dl className={classes.format}>
        {columns.map(([name, value]) => (
          <div key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </Section>
  );
}
