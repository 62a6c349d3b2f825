import { TransportProvider } from "@connectrpc/connect-query";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { type ReactNode, useEffect, useState } from "react";
import { Router } from "wouter";
import { EngineContext } from "./api/engine";
import { loadSettings, type Settings, SettingsContext } from "./api/settings";
import { createTransport } from "./api/transport";
import { guardedNavigation } from "./parts/leave";
import { Gate } from "./shell/gate";
import { Splash } from "./shell/splash";
import { schemeManager, theme, variables } from "./theme";

/** The whole console. nonce is that of the page's policy. */
export function App({ nonce }: { nonce: string }): ReactNode {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" colorSchemeManager={schemeManager} getStyleNonce={() => nonce}>
      {/* Not at the bottom: there a second press on Save would be one on Undo. */}
      <Notifications position="top-center" />
      <WithSettings />
    </MantineProvider>
  );
}

function WithSettings(): ReactNode {
  const [settings, setSettings] = useState<Settings>();
  const [failed, setFailed] = useState(false);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    let here = true;
    loadSettings().then(
      (loaded) => {
        if (here) setSettings(loaded);
      },
      () => {
        if (here) setFailed(true);
      },
    );
    return () => {
      here = false;
    };
  }, [tries]);
  if (settings !== undefined) return <Connected settings={settings} />;
  const again = () => {
    setFailed(false);
    setTries((n) => n + 1);
  };
  return <Splash {...(failed ? { onRetry: again } : {})} />;
}

function Connected({ settings }: { settings: Settings }): ReactNode {
  const [clients] = useState(() => {
    const transport = createTransport(window.location.origin);
    const engine = settings.engineUrl === "" ? transport : createTransport(settings.engineUrl, false);
    return { transport, engine };
  });
  return (
    <SettingsContext value={settings}>
      <TransportProvider transport={clients.transport}>
        <EngineContext value={clients.engine}>
          <Router base="/console" aroundNav={guardedNavigation}>
            <Gate />
          </Router>
        </EngineContext>
      </TransportProvider>
    </SettingsContext>
  );
}
