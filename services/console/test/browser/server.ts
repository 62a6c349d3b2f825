import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Api, createApi } from "./api.js";

const binary = process.env["TRUNKLINE_BINARY"] ?? fileURLToPath(new URL("../../../../bin/trunkline", import.meta.url));

/** How long a start or a stop may take, in milliseconds. Both take less than a second on an idle machine. */
const patience = 30_000;

export interface ServerOptions {
  /** Where rules are kept; with "release" changes count when they are published. */
  readonly table?: "database" | "memory" | "release";
  /** Whether it starts with operators, rules and rates; true unless said otherwise. */
  readonly demo?: boolean;
}

/** A running `trunkline dev --auth` with a folder of its own, on free ports. */
export class Server {
  /** Such as http://127.0.0.1:40123. */
  readonly url: string;
  readonly natsUrl: string;
  /** The key of an admin; it outlives a restart. */
  readonly adminKey: string;
  readonly dataDir: string;

  readonly #folder: string;
  readonly #options: ServerOptions;
  readonly #keys = new Map<string, Promise<string>>();
  #process: Started;

  private constructor(folder: string, dataDir: string, options: ServerOptions, process: Started) {
    this.#folder = folder;
    this.dataDir = dataDir;
    this.#options = options;
    this.#process = process;
    this.url = process.banner.url;
    this.natsUrl = process.banner.natsUrl;
    this.adminKey = process.banner.key;
  }

  static async start(options: ServerOptions = {}): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "trunkline-browser-"));
    const dataDir = join(folder, "data");
    try {
      return new Server(folder, dataDir, options, await launch(dataDir, options, "127.0.0.1:0", "127.0.0.1:0"));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** What the process wrote since its last start. */
  get output(): string {
    return this.#process.output();
  }

  /** Typed calls as the holder of a key; the admin's without one. */
  api(key: string = this.adminKey): Api {
    return createApi(this.url, key);
  }

  /** A key of the role, made once. */
  key(role: "viewer" | "operator" | "admin"): Promise<string> {
    if (role === "admin") return Promise.resolve(this.adminKey);
    let key = this.#keys.get(role);
    if (key === undefined) {
      key = this.api().makeKey(role);
      this.#keys.set(role, key);
    }
    return key;
  }

  /** Ends it as an orchestrator would: with SIGTERM, and waits. Its folder stays for a restart. */
  async stop(): Promise<void> {
    await this.#process.end("SIGTERM");
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.#process.end("SIGKILL");
  }

  /** Starts it again on the same ports, with its data. */
  async restart(): Promise<void> {
    await this.#process.end("SIGTERM");
    this.#process = await launch(this.dataDir, this.#options, new URL(this.url).host, new URL(this.natsUrl).host);
  }

  /** Ends it and removes its folder. */
  async dispose(): Promise<void> {
    await this.#process.end("SIGTERM");
    await rm(this.#folder, { recursive: true, force: true });
  }
}

interface Banner {
  readonly url: string;
  readonly natsUrl: string;
  readonly key: string;
}

/** Everything a test needs of what is printed; undefined until all of it is there. */
function readBanner(output: string): Banner | undefined {
  const url = /^ {2}API +(http:\/\/\S+)/m.exec(output)?.[1];
  const natsUrl = /^ {2}NATS +(nats:\/\/\S+)/m.exec(output)?.[1];
  const key = /TRUNKLINE_API_KEY=(\S+)\n/.exec(output)?.[1];
  return url !== undefined && natsUrl !== undefined && key !== undefined ? { url, natsUrl, key } : undefined;
}

interface Started {
  readonly banner: Banner;
  output(): string;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

async function launch(dataDir: string, options: ServerOptions, addr: string, natsAddr: string): Promise<Started> {
  const args = ["dev", "--auth", "--addr", addr, "--nats-addr", natsAddr, "--data-dir", dataDir];
  if (options.table !== undefined) args.push("--table", options.table);
  if (options.demo === false) args.push("--no-demo");
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  // A runner that ends early must not leave servers behind.
  const orphan = () => child.kill("SIGKILL");
  process.once("exit", orphan);
  const exited = once(child, "exit").finally(() => process.off("exit", orphan));
  exited.catch(() => undefined); // a binary that cannot be started is told below

  let output = "";
  const banner = await new Promise<Banner>((resolve, reject) => {
    const fail = (why: string) => {
      child.kill("SIGKILL");
      reject(new Error(`${binary} ${args.join(" ")}: ${why}\n${output}`));
    };
    const timer = setTimeout(() => fail("it did not start in time"), patience);
    const settle = (done: () => void) => {
      clearTimeout(timer);
      done();
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const found = readBanner(output);
        if (found !== undefined) settle(() => resolve(found));
      });
    }
    child.once("error", (error) => settle(() => fail(`${error.message}; run ./task build first`)));
    child.once("exit", (code) => settle(() => fail(`it ended with ${String(code)}`)));
  });
  const stop = async (signal: "SIGTERM" | "SIGKILL") => {
    await end(child, exited, signal);
    if (signal === "SIGTERM" && child.exitCode !== 0 && child.signalCode !== "SIGKILL") {
      throw new Error(`trunkline did not stop cleanly: exit ${String(child.exitCode)}\n${output}`);
    }
  };
  return { banner, output: () => output, end: stop };
}

/** Ends a process that may have ended already. One that does not heed SIGTERM is killed, and that is told. */
async function end(child: ChildProcess, exited: Promise<unknown>, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  let ignored = false;
  const timer = setTimeout(() => {
    ignored = true;
    child.kill("SIGKILL");
  }, patience);
  await exited;
  clearTimeout(timer);
  if (ignored) throw new Error("trunkline did not stop on SIGTERM in time");
}
