import { type ComponentType, lazy, type LazyExoticComponent } from "react";

/** A part of the console did not come from the server. Browsers and React keep that, so the console has to be loaded again. */
export class NotLoaded extends Error {}

export type Load<Props> = () => Promise<{ default: ComponentType<Props> }>;

/** lazy, with an error that tells a part that did not come from one that broke. */
export function lazily<Props>(load: Load<Props>): LazyExoticComponent<ComponentType<Props>> {
  return lazy(() =>
    load().catch((cause: unknown) => {
      throw new NotLoaded("a part of the console could not be loaded", { cause });
    }),
  );
}
