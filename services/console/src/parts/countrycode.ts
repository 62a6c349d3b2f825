/**
 * Lengths of E.164 country codes, ITU-T E.164 Annex (zones): zones 1 and 7 have one digit; in the others these second
 * digits make two-digit codes, and all else has three.
 */
const twoDigit: Readonly<Record<string, string>> = {
  "2": "07",
  "3": "0123469",
  "4": "013456789",
  "5": "12345678",
  "6": "0123456",
  "8": "1246",
  "9": "0123458",
};

/** The country code of a number such as +491711234567: "49". */
export function countryCode(number: string): string {
  const digits = number.slice(1);
  const first = digits.charAt(0);
  if (first === "1" || first === "7") return first;
  const two = twoDigit[first]?.includes(digits.charAt(1) || "x") === true;
  return digits.slice(0, two ? 2 : 3);
}
