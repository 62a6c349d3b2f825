import type { ServiceImpl } from "@connectrpc/connect";
import { createRouterTransport, type Transport } from "@connectrpc/connect";
import { TransportProvider } from "@connectrpc/connect-query";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, type RenderResult } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";
import { OperatorService } from "@gen/operators/v1/operator_service_pb";

/** A server of OperatorService in this process. */
export function operatorServer(methods: Partial<ServiceImpl<typeof OperatorService>>): Transport {
  return createRouterTransport(({ service }) => {
    service(OperatorService, methods);
  });
}

interface Stage {
  readonly transport?: Transport;
  readonly client?: QueryClient;
}

export function testClient(): QueryClient {
  return new QueryClient({ defaultOptions: { queries: { retry: false, staleTime: 60_000 } } });
}

/** What every part stands in, without transitions. */
export function stage({ transport = operatorServer({}), client = testClient() }: Stage = {}) {
  return function Around({ children }: { readonly children: ReactNode }) {
    return (
      <MantineProvider env="test">
        <Notifications />
        <QueryClientProvider client={client}>
          <TransportProvider transport={transport}>{children}</TransportProvider>
        </QueryClientProvider>
      </MantineProvider>
    );
  };
}

export function show(ui: ReactElement, set: Stage = {}): RenderResult {
  return render(ui, { wrapper: stage(set) });
}
