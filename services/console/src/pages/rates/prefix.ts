/** A prefix as somebody types it: "44 7911", "0044", "+44". "" is none; undefined is no prefix at all. */
export function readPrefix(text: string): string | undefined {
  const bare = text.replace(/[\s()-]/g, "");
  if (bare === "" || bare === "+") return "";
  const prefix = bare.startsWith("+") ? bare : bare.startsWith("00") ? `+${bare.slice(2)}` : `+${bare}`;
  return /^\+[1-9]\d{0,14}$/.test(prefix) ? prefix : undefined;
}
