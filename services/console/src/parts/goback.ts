// Browsers go back a moment after they are told to. What is written until then would be lost, or left behind.
let waiting: (() => void)[] | undefined;

/** Longer than any browser takes, in milliseconds; an address that cannot be gone back to must not hold the page up. */
const longest = 1_000;

/** Goes back one entry. */
export function goBack(): void {
  if (waiting !== undefined) return;
  waiting = [];
  const arrived = () => {
    clearTimeout(timer);
    removeEventListener("popstate", arrived);
    const acts = waiting ?? [];
    waiting = undefined;
    for (const act of acts) act();
  };
  const timer = setTimeout(arrived, longest);
  addEventListener("popstate", arrived);
  history.back();
}

/** While the browser is going back, act waits until it has; otherwise nothing happens and false is given. */
export function afterReturn(act: () => void): boolean {
  waiting?.push(act);
  return waiting !== undefined;
}
