/** Light, dark, or as the system has it. The choice is kept in this browser. */

const KEY = "console.theme";
const CHOICES = ["system", "light", "dark"];

/** @returns {string} one of system, light, dark */
export function theme() {
  const kept = localStorage.getItem(KEY) ?? "system";
  return CHOICES.includes(kept) ? kept : "system";
}

/** Shows the choice that was kept. */
export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

/** The next one of the three; charts draw themselves anew. */
export function switchTheme() {
  localStorage.setItem(KEY, CHOICES[(CHOICES.indexOf(theme()) + 1) % CHOICES.length]);
  applyTheme();
  dispatchEvent(new Event("theme"));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dispatchEvent(new Event("theme")));
