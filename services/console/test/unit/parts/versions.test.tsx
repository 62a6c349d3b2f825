import { create } from "@bufbuild/protobuf";
import { Role } from "@gen/options/v1/access_pb";
import { DecisionMetaSchema } from "@gen/routing/v1/routing_pb";
import { screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { CallerProvider } from "../../../src/api/caller";
import { Versions } from "../../../src/parts/versions";
import { show } from "./stage";

it.each([
  ["is known where a chosen operator reported it", true, false, "Known"],
  ["is not known where it did not", true, true, "Not known for 60 s"],
  ["is not spoken of where no operator was chosen", false, false, undefined],
])("health %s", (_, chosen, healthUnknown, text) => {
  show(
    <CallerProvider value={{ name: "ann", role: Role.VIEWER, accountId: "" }}>
      <Versions meta={create(DecisionMetaSchema, { healthUnknown })} chosen={chosen} />
    </CallerProvider>,
  );
  expect(screen.queryByText("Health of the chosen operator") !== null).toBe(text !== undefined);
  if (text !== undefined) expect(screen.queryByText(text)).not.toBeNull();
});
