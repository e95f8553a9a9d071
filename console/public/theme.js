// Before anything is drawn: the theme that was chosen on this machine, so that no page flashes in the other one.
{
  let chosen = null;
  try {
    chosen = localStorage.getItem("voicebot.theme");
  } catch {
    // A browser that keeps nothing follows the system's theme.
  }
  const dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
}
