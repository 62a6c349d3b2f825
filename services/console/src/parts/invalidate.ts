import type { DescService } from "@bufbuild/protobuf";
import { createConnectQueryKey } from "@connectrpc/connect-query";
import type { QueryClient } from "@tanstack/react-query";

/** Everything that was read from the services is read again where it is shown. */
export async function invalidate(client: QueryClient, services: readonly DescService[]): Promise<void> {
  await Promise.all(
    services.map((schema) => client.invalidateQueries({ queryKey: createConnectQueryKey({ schema, cardinality: undefined }) })),
  );
}
