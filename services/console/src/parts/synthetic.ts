/** Digits of a made-up number, unless told: what most mobile numbers have. */
const usual = 12;
/** E.164 numbers here have 7 to 15 digits. */
const least = 7;
const most = 15;

/**
 * A made-up number that starts with the prefix: zeros fill it up. It is no number that was seen, so it may be shown whole and stand in
 * links.
 */
export function syntheticNumber(prefix: string, digits: number = usual): string {
  const length = Math.min(Math.max(digits, least, prefix.length - 1), most);
  return prefix.padEnd(length + 1, "0").slice(0, most + 1);
}

/** The explorer with a made-up number, for an account and a type of message. */
export function syntheticPath(prefix: string, digits: number, params: string): string {
  return `/explore${params === "" ? "" : `?${params}`}#${syntheticNumber(prefix, digits)}`;
}
