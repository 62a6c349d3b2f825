/**
 * The end of an id, where ids differ: they begin with the time they were made at, and the first 8 characters are the same for about a
 * minute.
 */
export function shortId(id: string): string {
  return id.length > 12 ? `…${id.slice(-8)}` : id;
}
