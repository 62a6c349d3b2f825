// Usage: node compress.mjs FOLDER
// Writes .br and .gz beside every file of the folder that is worth it, so that the server compresses nothing itself.
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
if (folder === undefined) {
  console.error("compress: name the folder of the bundle");
  process.exit(2);
}

/** Others are compressed already, or are too small to be worth a second form. */
const endings = new Set([".css", ".js", ".json", ".svg"]);
const smallest = 512;

for (const name of readdirSync(folder, { recursive: true })) {
  const path = join(folder, name);
  // The page differs with every answer, and hidden files are not served.
  if (!endings.has(extname(name)) || /(^|[\\/])\./.test(name) || statSync(path).size < smallest) continue;
  const content = readFileSync(path);
  const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(`${path}.br`, brotliCompressSync(content, { params: quality }));
  writeFileSync(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
}
