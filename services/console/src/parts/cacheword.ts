import { CacheResult } from "@gen/routing/v1/routing_pb";

/** What the cache of decisions did for one. */
export function cacheWord(cache: CacheResult): string {
  switch (cache) {
    case CacheResult.HIT:
      return "Hit";
    case CacheResult.MISS:
      return "Miss";
    case CacheResult.BYPASS:
      return "Not asked";
    default:
      return "Unknown";
  }
}
