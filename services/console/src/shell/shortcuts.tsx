import { Modal, Table } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import type { PageEntry } from "../pages/pages";
import { Kbd } from "../parts/kbd";

/** A second key after g must come within this many milliseconds. */
const chord = 1_200;

/** Listens for keys that work everywhere, and shows them all on "?". */
export function Shortcuts({ pages }: { pages: readonly PageEntry[] }): ReactNode {
  const [, go] = useLocation();
  const [help, setHelp] = useState(false);
  useEffect(() => {
    let goAt = 0;
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || writing(event.target)) return;
      if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null) return;
      if (goAt !== 0 && event.timeStamp - goAt < chord) {
        goAt = 0;
        const page = pages.find(({ key }) => key === event.key.toLowerCase());
        if (page === undefined) return;
        event.preventDefault();
        go(page.path);
        return;
      }
      goAt = 0;
      if (event.key === "g") goAt = event.timeStamp;
      else if (event.key === "?") setHelp(true);
      else if (event.key === "n") pressButton("[data-shortcut=new]", event);
    };
    window.addEventListener("keydown", press);
    return () => {
      window.removeEventListener("keydown", press);
    };
  }, [pages, go]);

  const rows: readonly [keys: readonly string[], does: string][] = [
    [["mod+K"], "Find a page, an operator or a number, or do something"],
    [["/"], "Search on the page"],
    [["n"], "New, on pages where something can be made"],
    [["Up"], "and the other arrows: move in a table; Enter opens, Space selects"],
    [["Esc"], "Close what is open"],
    [["?"], "This list"],
    ...pages.map(({ key, label }): [string[], string] => [["g", key], label]),
  ];
  return (
    <Modal opened={help} onClose={() => { setHelp(false); }} title="Keys" size="md" closeButtonProps={{ "aria-label": "Close" }}>
      <Table verticalSpacing={6}>
        <Table.Tbody>
          {rows.map(([keys, does]) => (
            <Table.Tr key={does}>
              <Table.Td w={110}>{keys.map((one) => <Kbd key={one} keys={one} />)}</Table.Td>
              <Table.Td>{does}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}

function writing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(input|textarea|select)$/i.test(target.tagName);
}

/** The page marks the button that makes something new. */
function pressButton(selector: string, event: KeyboardEvent): void {
  const button = document.querySelector<HTMLElement>(selector);
  if (button === null) return;
  event.preventDefault();
  button.click();
}
