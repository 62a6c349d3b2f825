import { describe } from "../api/errors";

/** How a stream is at the moment. */
export type Link =
  | { readonly state: "connecting" }
  /** It speaks, and the server hears of events. */
  | { readonly state: "live" }
  /** It broke, or the server does not hear of events; since tells when something was heard last. silent: nothing answers at all. */
  | { readonly state: "lost"; readonly since: Date; readonly silent: boolean };

export interface Following<Message> {
  readonly open: (signal: AbortSignal) => AsyncIterable<Message>;
  readonly hear: (message: Message) => void;
  readonly changed: (link: Link) => void;
  /** Whether a message shows that the server itself is connected; absent: every one does. */
  readonly connected?: (message: Message) => boolean;
  /** The stream speaks again after a break. */
  readonly again?: () => void;
  /** Milliseconds without a message after which the stream is taken for dead; absent: none. */
  readonly silence?: number;
}

const firstWait = 1_000;
const longestWait = 15_000;

/** A stream that lived this long is taken for a good one: the next is opened soon. */
const steady = 30_000;

/**
 * A page that nobody looks at for this long lets its streams go. Over HTTP/1.1 a browser has six connections to a server for
 * all its tabs, and a stream keeps one.
 */
const hiddenFor = 3_000;

/** Reads a stream for ever and opens it again when it ends. Gives the way to stop. */
export function follow<Message>(f: Following<Message>): () => void {
  const life = new AbortController();
  void run(f, life.signal);
  return () => {
    life.abort();
  };
}

async function run<Message>(f: Following<Message>, life: AbortSignal): Promise<void> {
  const link = new LinkState(f.changed);
  let wait = firstWait;
  let broken = false;
  while (!life.aborted) {
    await looked(life);
    if (life.aborted) return;
    const one = new AbortController();
    const end = () => {
      one.abort();
    };
    life.addEventListener("abort", end);
    const unwatch = whenHidden(end);
    let silent: ReturnType<typeof setTimeout> | undefined;
    const heard = () => {
      clearTimeout(silent);
      if (f.silence !== undefined) silent = setTimeout(end, f.silence);
    };
    const opened = Date.now();
    let silentNow = false;
    try {
      heard();
      for await (const message of f.open(one.signal)) {
        if (life.aborted) return;
        heard();
        // A stream that speaks once and ends must not be opened every second by every tab.
        if (Date.now() - opened >= steady) wait = firstWait;
        if (f.connected?.(message) ?? true) link.live();
        else link.lost(false);
        if (broken) f.again?.();
        broken = false;
        f.hear(message);
      }
    } catch (error) {
      // Whatever broke the stream, the way on is the same. One that was ended here had been silent for too long.
      silentNow = one.signal.aborted || describe(error).unanswered === true;
    } finally {
      clearTimeout(silent);
      life.removeEventListener("abort", end);
      unwatch();
      one.abort();
    }
    if (life.aborted) return;
    broken = true;
    // Nobody saw it go, and it comes back as soon as somebody looks.
    if (document.hidden) continue;
    link.lost(silentNow);
    await pause(wait * (0.75 + Math.random() / 2), life);
    wait = Math.min(wait * 2, longestWait);
  }
}

/** Tells changes only. */
class LinkState {
  private state: Link["state"] = "connecting";
  private silent = false;
  /** When something was heard last. */
  private heard = new Date();

  constructor(private readonly changed: (link: Link) => void) {}

  live(): void {
    this.heard = new Date();
    if (this.state === "live") return;
    this.state = "live";
    this.changed({ state: "live" });
  }

  lost(silent: boolean): void {
    if (this.state === "lost" && this.silent === silent) return;
    this.state = "lost";
    this.silent = silent;
    this.changed({ state: "lost", since: this.heard, silent });
  }
}

function pause(milliseconds: number, life: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    life.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

/** Calls end once the page has been hidden for long. Gives the way to stop. */
function whenHidden(end: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(end, hiddenFor);
  };
  changed();
  document.addEventListener("visibilitychange", changed);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", changed);
  };
}

/** Waits until the page is looked at. */
function looked(life: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      if (document.hidden && !life.aborted) return;
      document.removeEventListener("visibilitychange", done);
      life.removeEventListener("abort", done);
      resolve();
    };
    document.addEventListener("visibilitychange", done);
    life.addEventListener("abort", done);
  });
}
