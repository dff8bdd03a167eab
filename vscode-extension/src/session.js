// The language server's life: started, stopped, started again. What it needs of VS Code comes in as arguments.
const { first, notFound, places } = require("./program");

const OPEN_SETTINGS = "Open settings";
const RETRY = "Try again";

class Session {
  /**
   * @param {object} outside
   * @param {() => {path: string, enabled: boolean}} outside.settings what is configured now
   * @param {() => string[]} outside.folders the paths of the workspace folders
   * @param {(command: string) => {start(): Promise<void>, stop(): Promise<void>}} outside.connect makes a client
   * @param {(message: string, ...choices: string[]) => Promise<string | undefined>} outside.complain shows an error
   * @param {() => void} outside.openSettings
   */
  constructor({ settings, folders, connect, complain, openSettings }) {
    this.settings = settings;
    this.folders = folders;
    this.connect = connect;
    this.complain = complain;
    this.openSettings = openSettings;
    this.client = undefined;
    // Whatever is asked for runs one after the other, so that never two servers answer for one file.
    this.queue = Promise.resolve();
  }

  /** The path of the program, or undefined, which is told to the user. */
  async program() {
    const configured = this.settings().path.trim();
    const { env: environment, platform } = process;
    const found = await first(places({ configured, folders: this.folders(), environment, platform }));
    if (!found) this.missing(configured);
    return found;
  }

  start() {
    return this.next(() => this.begin());
  }

  stop() {
    return this.next(() => this.end());
  }

  restart() {
    return this.next(async () => {
      await this.end();
      await this.begin();
    });
  }

  next(step) {
    this.queue = this.queue.then(step);
    return this.queue;
  }

  async begin() {
    if (this.client || !this.settings().enabled) return;
    const command = await this.program();
    if (!command) return;
    const client = this.connect(command);
    try {
      await client.start();
      this.client = client;
    } catch (error) {
      this.ask(`EdgeScript: "${command} lsp" could not be started: ${error.message ?? error}`);
    }
  }

  async end() {
    const client = this.client;
    this.client = undefined;
    try {
      await client?.stop();
    } catch {
      // It is gone already, which is what was wanted.
    }
  }

  missing(configured) {
    this.ask(notFound(configured));
  }

  // Nobody waits for the user's choice: a message may stay there for hours.
  ask(message) {
    this.complain(message, RETRY, OPEN_SETTINGS).then((choice) => {
      if (choice === RETRY) this.restart();
      if (choice === OPEN_SETTINGS) this.openSettings();
    });
  }
}

module.exports = { OPEN_SETTINGS, RETRY, Session };
