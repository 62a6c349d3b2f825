/** Percent of sums and shares, exactly: no float is between money and its text. */

/** "+12.50 %", "-3.00 %", "0.00 %" from hundredths of a percent. */
export function basisPointsText(points: bigint): string {
  const size = points < 0n ? -points : points;
  const sign = points < 0n ? "-" : points > 0n ? "+" : "";
  return `${sign}${String(size / 100n)}.${String(size % 100n).padStart(2, "0")} %`;
}

/** By how many hundredths of a percent a sum changes, rounded half away from zero; undefined when it was 0. */
export function basisPoints(before: bigint, after: bigint): bigint | undefined {
  if (before === 0n) return undefined;
  const over = (after - before) * 10_000n;
  return roundedQuotient(over, before);
}

function roundedQuotient(over: bigint, under: bigint): bigint {
  const negative = over < 0n !== under < 0n;
  const [n, d] = [over < 0n ? -over : over, under < 0n ? -under : under];
  const size = (2n * n + d) / (2n * d);
  return negative ? -size : size;
}

/** "33.33 %". What is not nothing is never shown as 0, nor what is not all as 100. */
export function shareText(part: bigint, whole: bigint): string {
  if (whole === 0n) return "–";
  const points = roundedQuotient(part * 10_000n, whole);
  if (part > 0n && points === 0n) return "<0.01 %";
  if (part < whole && points >= 10_000n) return ">99.99 %";
  return `${String(points / 100n)}.${String(points % 100n).padStart(2, "0")} %`;
}
