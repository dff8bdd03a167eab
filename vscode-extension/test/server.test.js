// The session with the real `edge lsp`, by the protocol library that VS Code's client is made of.
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const { test } = require("node:test");
const protocol = require("vscode-languageserver-protocol/node");
const { first, places } = require("../src/program");
const { Session } = require("../src/session");

const ROOT = path.join(__dirname, "..", "..");
const URI = "file:///nowhere/Edgefile";
const TEXT = ":8080 {\n    log\n    proxxy 127.0.0.1:1 # \u{1F600}\n    redir /x\n}\n";
const CAPABILITIES = {
  general: { positionEncodings: ["utf-16"] },
  textDocument: { completion: { completionItem: { snippetSupport: true, resolveSupport: { properties: ["documentation"] } } } },
};

const program = first(places({ configured: "", folders: [ROOT], environment: process.env, platform: process.platform }));

/** What `connect` of a session gives: a client that starts the program and stops it again. */
class Client {
  constructor(command) {
    this.command = command;
    this.published = [];
    this.waiting = [];
  }

  async start() {
    this.server = spawn(this.command, ["lsp"], { stdio: ["pipe", "pipe", "inherit"] });
    this.connection = protocol.createProtocolConnection(this.server.stdout, this.server.stdin);
    this.connection.onNotification(protocol.PublishDiagnosticsNotification.type, (found) => {
      const next = this.waiting.shift();
      next ? next(found) : this.published.push(found);
    });
    this.connection.listen();
    const parameters = { processId: process.pid, rootUri: null, capabilities: CAPABILITIES, initializationOptions: { inlayHints: "all" } };
    this.can = (await this.ask(protocol.InitializeRequest, parameters)).capabilities;
    await this.tell(protocol.InitializedNotification, {});
  }

  ask(request, parameters) {
    return this.connection.sendRequest(request.type, parameters);
  }

  tell(notification, parameters) {
    return this.connection.sendNotification(notification.type, parameters);
  }

  problems() {
    return this.published.length ? this.published.shift() : new Promise((resolve) => this.waiting.push(resolve));
  }

  async stop() {
    const ended = once(this.server, "exit");
    await this.connection.sendRequest(protocol.ShutdownRequest.type);
    await this.connection.sendNotification(protocol.ExitNotification.type);
    [this.code] = await ended;
    this.connection.dispose();
  }
}

test("the real server answers what VS Code asks", async (context) => {
  const command = await program;
  if (!command) return context.skip("the program edge is not installed");
  let client;
  const session = new Session({
    settings: () => ({ path: command, enabled: true }),
    folders: () => [],
    connect: (found) => (client = new Client(found)),
    complain: async (message) => assert.fail(message),
    openSettings: () => {},
  });
  await session.start();
  const textDocument = { uri: URI };
  try {
    assert.ok(client.can.completionProvider.resolveProvider);
    await client.tell(protocol.DidOpenTextDocumentNotification, {
      textDocument: { uri: URI, languageId: "edgefile", version: 1, text: TEXT },
    });
    const { uri, diagnostics } = await client.problems();
    assert.deepStrictEqual([uri, diagnostics.map((each) => each.code)], [URI, ["E101"]]);

    const [fix] = await client.ask(protocol.CodeActionRequest, {
      textDocument,
      range: diagnostics[0].range,
      context: { diagnostics },
    });
    assert.deepStrictEqual([fix.title, fix.diagnostics.length], ['write "proxy"', 1]);

    const { items } = await client.ask(protocol.CompletionRequest, { textDocument, position: { line: 1, character: 5 } });
    const handle = items.find((item) => item.label === "handle");
    assert.strictEqual(handle.insertTextFormat, protocol.InsertTextFormat.Snippet);
    assert.match((await client.ask(protocol.CompletionResolveRequest, handle)).documentation.value, /handle/);

    const hints = await client.ask(protocol.InlayHintRequest, {
      textDocument,
      range: { start: { line: 0, character: 0 }, end: { line: 9, character: 0 } },
    });
    assert.deepStrictEqual(hints.map((hint) => hint.label), ["code 302"]);
    assert.ok((await client.ask(protocol.SemanticTokensRequest, { textDocument })).data.length > 0);

    const [edit] = fix.edit.changes[URI];
    await client.tell(protocol.DidChangeTextDocumentNotification, {
      textDocument: { uri: URI, version: 2 },
      contentChanges: [{ range: edit.range, text: edit.newText }],
    });
    let found = await client.problems();
    while (found.version !== 2) found = await client.problems();
    assert.ok(found.diagnostics.every((each) => each.code !== "E101"));
  } finally {
    await session.stop();
  }
  assert.strictEqual(client.code, 0);
});
