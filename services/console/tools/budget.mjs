// Usage: node budget.mjs FOLDER
// Prints how much script the first screen loads, and fails when it is more than the budget: the scripts of the page,
// what they import, and the chunk of the overview with its own imports; compressed with gzip, which every browser takes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const budget = 250 * 1024;
const firstPage = "src/pages/overview/index.tsx";

const folder = process.argv[2] ?? "dist";
if (!existsSync(join(folder, "index.html"))) {
  console.error(`budget: there is no bundle in ${folder}; run ./task console:build`);
  process.exit(1);
}
const manifest = JSON.parse(readFileSync(join(folder, ".vite/manifest.json"), "utf8"));
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
const packed = (file) => gzipSync(readFileSync(join(folder, file)), { level: 9 }).length;

/** Adds the files of a chunk and of all that it imports statically. */
function collect(key, scripts, styles) {
  const chunk = manifest[key];
  if (scripts.has(chunk.file)) return;
  scripts.add(chunk.file);
  for (const style of chunk.css ?? []) styles.add(style);
  for (const imported of chunk.imports ?? []) collect(imported, scripts, styles);
}

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
for (const [key, what] of [[entry, "an entry"], [firstPage, firstPage]]) {
  if (manifest[key] === undefined) {
    console.error(`budget: the bundle has no chunk of ${what}; name the first page in tools/budget.mjs`);
    process.exit(1);
  }
}
const scripts = new Set();
const styles = new Set();
collect(entry, scripts, styles);
collect(firstPage, scripts, styles);
// Scripts that the page names itself, such as the one that sets the colours before the first paint.
for (const [, path] of readFileSync(join(folder, "index.html"), "utf8").matchAll(/<script[^>]* src="\/console\/([^"]+)"/g)) {
  scripts.add(path);
}

const total = [...scripts].reduce((sum, file) => sum + packed(file), 0);
const style = [...styles].reduce((sum, file) => sum + packed(file), 0);
console.log(`budget: the first screen loads ${kib(total)} of script in ${scripts.size} files, of ${kib(budget)} allowed, and ${kib(style)} of style`);
if (total > budget) {
  for (const file of [...scripts].sort((a, b) => packed(b) - packed(a)).slice(0, 10)) console.error(`  ${kib(packed(file)).padStart(10)}  ${file}`);
  console.error("budget: too much; load what the first screen does not show later, with lazy()");
  process.exit(1);
}
