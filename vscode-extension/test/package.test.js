// The package that would be published: that it can be built, what is in it, and that what VS Code loads does load.
const assert = require("node:assert");
const { execFileSync } = require("node:child_process");
const { mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const Module = require("node:module");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");
const yauzl = require("yauzl");

const ROOT = path.join(__dirname, "..");
const MANIFEST = require("../package.json");

let folder, files;
before(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "edgefile-"));
  const file = path.join(folder, "edgefile.vsix");
  const vsce = path.join(ROOT, "node_modules", "@vscode", "vsce", "vsce");
  const options = ["--no-dependencies", "--allow-missing-repository", "--out", file];
  execFileSync(process.execPath, [vsce, "package", ...options], { cwd: ROOT, stdio: "pipe" });
  files = await unpacked(file);
});
after(() => rmSync(folder, { recursive: true }));

function unpacked(file) {
  return new Promise((resolve, reject) => {
    const found = new Map();
    yauzl.open(file, { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error);
      zip.on("entry", (entry) => {
        zip.openReadStream(entry, (error, stream) => {
          if (error) return reject(error);
          const pieces = [];
          stream.on("data", (piece) => pieces.push(piece));
          stream.on("end", () => {
            found.set(entry.fileName, Buffer.concat(pieces));
            zip.readEntry();
          });
        });
      });
      zip.on("end", () => resolve(found));
      zip.readEntry();
    });
  });
}

test("the package has what VS Code needs and nothing else", () => {
  const names = [...files.keys()].filter((name) => name.startsWith("extension/")).sort();
  assert.deepStrictEqual(names, [
    "extension/CHANGELOG.md",
    "extension/LICENSE.txt",
    "extension/README.md",
    "extension/icon.png",
    "extension/language-configuration.json",
    "extension/out/extension.js",
    "extension/package.json",
    "extension/snippets/edgefile.json",
    "extension/syntaxes/edgefile.tmLanguage.json",
    "extension/syntaxes/markdown.json",
  ]);
});

test("every file that the manifest names is in the package", () => {
  const named = JSON.stringify(MANIFEST.contributes).matchAll(/"(?:path|configuration)":"\.\/([^"]+)"/g);
  for (const [, name] of named) assert.ok(files.has(`extension/${name}`), name);
  assert.ok(files.has(path.posix.join("extension", MANIFEST.main)));
});

test("every command of the manifest is registered when the extension is activated", async () => {
  const file = path.join(folder, "extension.js");
  writeFileSync(file, files.get("extension/out/extension.js"));
  const registered = [];
  const extension = loaded(file, {
    commands: { registerCommand: (name) => registered.push(name) },
    window: { createOutputChannel: () => ({}), showErrorMessage: async () => undefined },
    workspace: {
      getConfiguration: () => ({ get: (name, otherwise) => (name === "lsp.enabled" ? false : otherwise) }),
      onDidChangeConfiguration: () => ({}),
    },
  });
  await extension.activate({ subscriptions: [] });
  await extension.deactivate();
  assert.deepStrictEqual(registered.sort(), MANIFEST.contributes.commands.map((one) => one.command).sort());
});

/** The module, with `api` and otherwise empty classes for what VS Code would give it. */
function loaded(file, api) {
  const vscode = new Proxy(api, { get: (target, name) => target[name] ?? class {} });
  const load = Module._load;
  Module._load = (name, ...more) => (name === "vscode" ? vscode : load(name, ...more));
  try {
    return require(file);
  } finally {
    Module._load = load;
  }
}

test("each setting that the code reads is declared", () => {
  const code = files.get("extension/out/extension.js").toString();
  for (const name of ["path", "lsp.enabled"]) {
    assert.ok(code.includes(`"${name}"`));
    assert.ok(`edgescript.${name}` in MANIFEST.contributes.configuration.properties);
  }
});
