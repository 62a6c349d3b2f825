// Sets the colour scheme of the page before anything is drawn. src/theme.ts keeps the choice under the same key.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("trunkline.scheme");
  } catch (e) {
    // Storage is forbidden: the system decides.
  }
  if (chosen !== "light" && chosen !== "dark") {
    chosen = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }
  document.documentElement.setAttribute("data-mantine-color-scheme", chosen);
})();
