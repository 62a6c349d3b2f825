import { createContext, useContext } from "react";

/** What the server says about the console, from /console/settings.json. */
export interface Settings {
  /** Origin of a routing engine; empty when this server decides routes itself. */
  readonly engineUrl: string;
  /** A label such as production; may be empty. */
  readonly environment: string;
  readonly version: string;
  /** Whether calls need a credential. */
  readonly auth: boolean;
}

export async function loadSettings(): Promise<Settings> {
  const response = await fetch(`${import.meta.env.BASE_URL}settings.json`, { headers: { accept: "application/json" } });
  if (!response.ok) throw new Error(`The server answered ${String(response.status)}.`);
  const body = (await response.json()) as Partial<Settings>;
  return {
    engineUrl: body.engineUrl ?? "",
    environment: body.environment ?? "",
    version: body.version ?? "",
    auth: body.auth ?? true,
  };
}

export const SettingsContext = createContext<Settings>({ engineUrl: "", environment: "", version: "", auth: true });

export function useSettings(): Settings {
  return useContext(SettingsContext);
}
