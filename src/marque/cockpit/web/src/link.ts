/** The connection: it comes back by itself, and says when it is gone. */

export type Handler = (kind: string, content: any) => void;

export class Link {
  private socket: WebSocket | null = null;
  private wait_ms = 300;
  private serial = 0;
  private refused = new Map<number, (text: string) => void>();
  connected = false;

  constructor(
    private readonly token: string,
    private readonly heard: Handler,
    private readonly changed: (connected: boolean) => void,
  ) {
    this.open();
  }

  private open(): void {
    const url = new URL("./ws", location.href);
    url.protocol = "ws:";
    url.hash = "";
    const socket = new WebSocket(url, "marque.cockpit.1");
    this.socket = socket;
    socket.onopen = () => {
      this.wait_ms = 300;
      this.connected = true;
      this.send({ do: "hello", token: this.token });
      this.changed(true);
    };
    socket.onmessage = (message) => {
      const { kind, is } = JSON.parse(message.data);
      if (kind === "refused" && this.refused.has(is.id)) this.refused.get(is.id)!(is.text);
      this.heard(kind, is);
    };
    socket.onclose = () => {
      if (this.connected) this.changed(false);
      this.connected = false;
      window.setTimeout(() => this.open(), this.wait_ms);
      this.wait_ms = Math.min(3000, 1.6 * this.wait_ms);
    };
  }

  /** `otherwise` is told why a command was refused. */
  send(command: Record<string, unknown>, otherwise?: (text: string) => void): void {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return;
    this.serial += 1;
    if (otherwise) this.refused.set(this.serial, otherwise);
    this.socket.send(JSON.stringify({ ...command, id: this.serial }));
  }
}
