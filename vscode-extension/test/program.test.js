// Where the program is looked for.
const assert = require("node:assert");
const { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const path = require("node:path");
const { afterEach, beforeEach, test } = require("node:test");
const { first, notFound, places } = require("../src/program");

const LINUX = { configured: "", folders: ["/w/a", "/w/b"], environment: { PATH: "/bin:/usr/bin", HOME: "/home/me" }, platform: "linux" };

let folder;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "edgefile-"))));
afterEach(() => rmSync(folder, { recursive: true }));

function program(name, mode) {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, "#!/bin/sh\n");
  chmodSync(file, mode);
  return file;
}

test("the virtual environments of the folders come before the path", () => {
  assert.deepStrictEqual(places(LINUX), ["/w/a/.venv/bin/edge", "/w/b/.venv/bin/edge", "/bin/edge", "/usr/bin/edge"]);
});

test("what is configured is the only place", () => {
  assert.deepStrictEqual(places({ ...LINUX, configured: "/opt/edge" }), ["/opt/edge"]);
});

test("a configured path may begin with ~ or be below a folder", () => {
  assert.deepStrictEqual(places({ ...LINUX, configured: "~/bin/edge" }), ["/home/me/bin/edge"]);
  assert.deepStrictEqual(places({ ...LINUX, configured: "tools/edge" }), ["/w/a/tools/edge", "/w/b/tools/edge"]);
  assert.deepStrictEqual(places({ ...LINUX, configured: "${workspaceFolder}/edge" }), ["/w/a/edge"]);
});

test("a configured name is looked for on the path", () => {
  assert.deepStrictEqual(places({ ...LINUX, configured: "edge-beta" }), ["/bin/edge-beta", "/usr/bin/edge-beta"]);
});

test("on Windows programs end in .exe", () => {
  const found = places({ ...LINUX, folders: ["C:/w"], platform: "win32" });
  assert.ok(found.every((place) => place.endsWith("edge.exe")), String(found));
});

test("the first place with a program that may be executed is taken", async () => {
  const text = program("not-executable/edge", 0o644);
  const good = program("good/edge", 0o755);
  const later = program("later/edge", 0o755);
  assert.strictEqual(await first([path.join(folder, "nowhere"), text, good, later]), good);
});

test("where there is none, none is found", async () => {
  assert.strictEqual(await first([path.join(folder, "nowhere")]), undefined);
});

test("the message says what to do", () => {
  assert.match(notFound(""), /Install EdgeScript.*edgescript\.path/);
  assert.match(notFound("/opt/edge"), /"\/opt\/edge".*edgescript\.path/);
});
