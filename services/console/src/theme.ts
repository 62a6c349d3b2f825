import { createTheme, type CSSVariablesResolver, localStorageColorSchemeManager, type MantineColorsTuple } from "@mantine/core";

// One accent, lightest to darkest. White on shade 7 has a contrast above 5.
const signal: MantineColorsTuple = [
  "#e6f6fb", "#cdeaf4", "#9bd5e8", "#66bfdc", "#3cacd2", "#209fcb", "#0b86b0", "#0a6e92", "#075a78", "#03465f",
];

// The greys of the dark scheme, with a little of the accent's blue, as the surfaces of theme.css have.
const dark: MantineColorsTuple = [
  "#dfe5ec", "#b9c3ce", "#9aa6b3", "#7f8b99", "#3b4652", "#2e3742", "#262e37", "#1a2027", "#151a20", "#12161b",
];

export const theme = createTheme({
  primaryColor: "signal",
  primaryShade: 7,
  autoContrast: true,
  colors: { signal, dark },
  fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif",
  fontFamilyMonospace: "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace",
  headings: { fontWeight: "650" },
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
  components: {
    // Theirs are <header>s, which would be a second banner of the document.
    ModalHeader: { defaultProps: { component: "div" } },
    DrawerHeader: { defaultProps: { component: "div" } },
  },
});

/** Under the key that public/scheme.js reads before the first paint. */
export const schemeManager = localStorageColorSchemeManager({ key: "trunkline.scheme" });

// The library's reds are too light for text in the one scheme and too dark in the other.
const danger = { "--mantine-color-error": "var(--tone-bad-text)", "--mantine-color-red-filled": "#b3261e", "--mantine-color-red-filled-hover": "#8f1d17" };

/** What differs from the library's own variables. */
export const variables: CSSVariablesResolver = () => ({ variables: {}, light: danger, dark: danger });
