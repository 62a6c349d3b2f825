import { ActionIcon, Badge, Button, Group, Menu, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSearch, IconSun, IconUser } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useCaller } from "../api/caller";
import { signOut } from "../api/session";
import { useSettings } from "../api/settings";
import { AccountName } from "../parts/names";
import { Kbd } from "../parts/kbd";
import { When } from "../parts/when";
import { roleWord } from "../parts/words";
import { LiveDot } from "./livedot";

export function Header({ onFind }: { onFind: () => void }): ReactNode {
  const { environment } = useSettings();
  return (
    <>
      <Text component={Link} href="/" fw={700} size="lg" c="inherit" td="none">
        Trunkline
      </Text>
      {environment !== "" && (
        <Badge variant="light" color="gray" radius="sm" tt="none" visibleFrom="xs" c="var(--tone-idle-text)" bg="var(--tone-idle-ground)">
          {environment}
        </Badge>
      )}
      <Group ml="auto" gap="xs" wrap="nowrap">
        <LiveDot />
        <Button
          variant="default"
          size="sm"
          fw={500}
          leftSection={<IconSearch size={15} aria-hidden />}
          rightSection={<Kbd keys="mod+K" />}
          onClick={onFind}
          visibleFrom="sm"
        >
          Find or do
        </Button>
        <ActionIcon variant="default" size="lg" onClick={onFind} hiddenFrom="sm" aria-label="Find or do">
          <IconSearch size={17} aria-hidden />
        </ActionIcon>
        <SchemeToggle />
        <CallerMenu />
      </Group>
    </>
  );
}

function SchemeToggle(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <Tooltip label={`Make it ${other}`}>
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={`Make it ${other}`}
        onClick={() => {
          setColorScheme(other);
        }}
      >
        {scheme === "dark" ? <IconSun size={17} aria-hidden /> : <IconMoon size={17} aria-hidden />}
      </ActionIcon>
    </Tooltip>
  );
}

function CallerMenu(): ReactNode {
  const caller = useCaller();
  const { auth, version } = useSettings();
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label="Who is signed in">
          <IconUser size={17} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <Text size="sm" ff="monospace" c="var(--mantine-color-text)" truncate title={caller.name}>
            {caller.name}
          </Text>
          <Text size="sm">You are {roleWord(caller.role)}.</Text>
          {caller.accountId !== "" && (
            <Text size="sm">
              Bound to <AccountName id={caller.accountId} link={false} />
            </Text>
          )}
          {caller.expires !== undefined && (
            <Text size="sm">
              Until <When time={caller.expires} />
            </Text>
          )}
          <Text size="sm">Version {version}</Text>
        </Menu.Label>
        {auth && (
          <>
            <Menu.Divider />
            <Menu.Item onClick={signOut}>Sign out</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
