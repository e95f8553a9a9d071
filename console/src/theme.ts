import { createTheme, type CSSVariablesResolver, type MantineColorsTuple, rem, virtualColor } from "@mantine/core";

// One grey with a breath of blue carries the pages; colour is left for what it means (see parts/meaning.ts).
const ink: MantineColorsTuple = [
  "#f3f5f8", "#e6e9ef", "#d0d6e0", "#a9b3c3", "#7f8ba0", "#5d6a80", "#475367", "#333d4f", "#1f2838", "#131a27",
]; // prettier-ignore
const paper: MantineColorsTuple = [
  "#ffffff", "#f7f8fa", "#f3f5f8", "#eff1f5", "#ebeef3", "#eaedf2", "#e9ecf2", "#e9ecf1", "#e8ebf1", "#c3cad6",
]; // prettier-ignore
const dark: MantineColorsTuple = [
  "#e8ebf1", "#c3cad6", "#a3adbd", "#7d889b", "#465064", "#323b4c", "#232a38", "#1a202c", "#131822", "#0d1118",
]; // prettier-ignore

const green: MantineColorsTuple = [
  "#e2f6ec", "#c3ecd7", "#92dcb7", "#5fcb96", "#38bc7c", "#1fa868", "#149159", "#0f8250", "#0b7a4b", "#08633c",
]; // prettier-ignore
const red: MantineColorsTuple = [
  "#fdecec", "#fbd3d5", "#f7a6aa", "#f2767c", "#ed4c55", "#e0333d", "#d12733", "#c9232f", "#c21f2c", "#9e1722",
]; // prettier-ignore

export const theme = createTheme({
  primaryColor: "primary",
  primaryShade: 8,
  autoContrast: true,
  luminanceThreshold: 0.36,
  colors: {
    primary: virtualColor({ name: "primary", light: "ink", dark: "paper" }),
    ink,
    paper,
    gray: ink,
    dark,
    green,
    red,
  },
  white: "#ffffff",
  black: "#131a27",
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'Cascadia Mono', 'Roboto Mono', 'DejaVu Sans Mono', monospace",
  fontSizes: { xs: rem(12), sm: rem(14), md: rem(15), lg: rem(18), xl: rem(22) },
  lineHeights: { xs: "1.35", sm: "1.45", md: "1.5", lg: "1.4", xl: "1.3" },
  spacing: { xs: rem(8), sm: rem(12), md: rem(16), lg: rem(24), xl: rem(32) },
  radius: { xs: rem(4), sm: rem(6), md: rem(8), lg: rem(12), xl: rem(18) },
  defaultRadius: "md",
  headings: {
    fontWeight: "650",
    sizes: {
      h1: { fontSize: rem(24), lineHeight: "1.25" },
      h2: { fontSize: rem(18), lineHeight: "1.35" },
      h3: { fontSize: rem(15), lineHeight: "1.4" },
    },
  },
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Card: { defaultProps: { withBorder: true, radius: "lg", padding: "md" } },
    Tooltip: { defaultProps: { withArrow: true, openDelay: 350, multiline: true, maw: 320 } },
    Modal: {
      styles: { title: { fontWeight: 650, fontSize: rem(18) } },
      defaultProps: { centered: true, radius: "lg", overlayProps: { backgroundOpacity: 0.5, blur: 2 } },
    },
    Drawer: {
      styles: { title: { fontWeight: 650, fontSize: rem(18) } },
      defaultProps: { position: "right", overlayProps: { backgroundOpacity: 0.5, blur: 2 } },
    },
    Badge: { defaultProps: { tt: "none", fw: 600, radius: "sm" } },
    Table: { defaultProps: { borderColor: "var(--vb-line)" } },
    Anchor: { defaultProps: { underline: "always" } },
  },
});

export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#f5f6f9",
    "--mantine-color-dimmed": "#566175",
    "--mantine-color-placeholder": "#6c778b",
    "--mantine-color-error": "#c21f2c",
    "--vb-surface": "#ffffff",
    "--vb-sunken": "#eef0f4",
    "--vb-line": "#dfe3ea",
    "--vb-line-strong": "#c2c9d5",
  },
  dark: {
    "--mantine-color-body": "#0f131b",
    "--mantine-color-text": "#e8ebf1",
    "--mantine-color-dimmed": "#a3adbd",
    "--mantine-color-placeholder": "#8a95a8",
    "--mantine-color-error": "#ff8a8f",
    "--vb-surface": "#171c27",
    "--vb-sunken": "#11151e",
    "--vb-line": "#293141",
    "--vb-line-strong": "#3b4558",
  },
});
