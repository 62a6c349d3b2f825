/** "43.2 KiB", in units of 1024. */
export function sizeText(bytes: bigint): string {
  if (bytes < 1024n) return `${String(bytes)} ${bytes === 1n ? "byte" : "bytes"}`;
  let value = Number(bytes);
  for (const unit of ["KiB", "MiB"]) {
    value /= 1024;
    if (value < 1024) return `${value.toFixed(1)} ${unit}`;
  }
  return `${(value / 1024).toFixed(1)} GiB`;
}
