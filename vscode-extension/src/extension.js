// What VS Code calls: it wires the session to the editor, and runs `edge validate` and `edge test` as tasks.
const vscode = require("vscode");
const { LanguageClient, TransportKind } = require("vscode-languageclient/node");
const { Session } = require("./session");

const SECTION = "edgescript";
let session;

async function activate(context) {
  const output = vscode.window.createOutputChannel("EdgeScript");
  session = new Session({
    settings,
    folders,
    connect: (command) => client(command, output),
    complain: (message, ...choices) => Promise.resolve(vscode.window.showErrorMessage(message, ...choices)),
    openSettings: () => vscode.commands.executeCommand("workbench.action.openSettings", `${SECTION}.path`),
  });
  context.subscriptions.push(
    output,
    vscode.commands.registerCommand("edgescript.restart", () => session.restart()),
    vscode.commands.registerCommand("edgescript.validate", () => run("validate")),
    vscode.commands.registerCommand("edgescript.test", () => run("test")),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(SECTION)) session.restart();
    }),
  );
  await session.start();
}

function deactivate() {
  return session?.stop();
}

function settings() {
  const configuration = vscode.workspace.getConfiguration(SECTION);
  return { path: configuration.get("path", ""), enabled: configuration.get("lsp.enabled", true) };
}

function folders() {
  return (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath);
}

function client(command, outputChannel) {
  const server = { command, args: ["lsp"], transport: TransportKind.stdio };
  return new LanguageClient(SECTION, "EdgeScript", server, {
    documentSelector: [{ language: "edgefile" }],
    initializationOptions: { inlayHints: vscode.workspace.getConfiguration(SECTION).get("inlayHints", "some") },
    outputChannel,
    // Problems are also those of files that are only imported.
    synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/{Edgefile,*.edge,*.Edgefile}") },
  });
}

/** Run a command of `edge` on the file that is open, in the terminal; its problems go to the list of problems. */
async function run(command) {
  const document = vscode.window.activeTextEditor?.document;
  if (document?.languageId !== "edgefile") return;
  await document.save();
  const program = await session.program();
  if (!program) return;
  const file = document.uri.fsPath;
  const execution = new vscode.ProcessExecution(program, [command, file]);
  const scope = vscode.workspace.getWorkspaceFolder(document.uri) ?? vscode.TaskScope.Workspace;
  const task = new vscode.Task({ type: "process" }, scope, `edge ${command}`, SECTION, execution, "$edge");
  await vscode.tasks.executeTask(task);
}

module.exports = { activate, deactivate };
