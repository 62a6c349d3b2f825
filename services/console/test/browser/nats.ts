import { connect } from "node:net";

/** How long a NATS server may take to answer, in milliseconds. */
const patience = 15_000;

/** Publishes one message and returns when the server has taken it in. natsUrl is such as nats://127.0.0.1:4222. */
export function publish(natsUrl: string, subject: string, payload: string): Promise<void> {
  const { hostname, port } = new URL(natsUrl);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = "";
    const close = (done: () => void) => {
      socket.destroy();
      done();
    };
    socket.setEncoding("utf8").setTimeout(patience, () => close(() => reject(new Error(`${natsUrl} did not answer`))));
    socket.once("error", reject);
    socket.once("connect", () => {
      const size = String(Buffer.byteLength(payload));
      // The server works in order, so the answer to PING comes when the message was taken in.
      socket.write(`CONNECT {"verbose":false}\r\nPUB ${subject} ${size}\r\n${payload}\r\nPING\r\n`);
    });
    socket.on("data", (text: string) => {
      answer += text;
      const refused = /^-ERR .*$/m.exec(answer);
      if (refused !== null) close(() => reject(new Error(`${natsUrl}: ${refused[0]}`)));
      else if (/^PONG\r$/m.test(answer)) close(resolve);
    });
  });
}

/** Says by hand how an operator is, as docs/how-to/publish-health-by-hand.md shows. */
export function sayHealth(
  natsUrl: string,
  operatorId: string,
  status: "BOUND" | "UNBOUND" | "FAILBACK" | "HEALTHY" | "DEGRADED" | "UNHEALTHY",
): Promise<void> {
  return publish(natsUrl, "operator.health", JSON.stringify({ operatorId, status }));
}
