// The grammar, over sample files with the scopes that are expected; `node test/grammar.test.js --write` writes those anew.
const assert = require("node:assert");
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { coloured, grammar, scopesIn } = require("./colours");

const FOLDER = path.join(__dirname, "samples");
const SAMPLES = readdirSync(FOLDER).filter((name) => name.endsWith(".edge"));
const read = (name) => readFileSync(path.join(FOLDER, name), "utf8");

for (const name of SAMPLES) {
  const expected = name.replace(".edge", ".scopes");
  test(`the parts of ${name} have the expected scopes`, async () => {
    const found = coloured(await grammar(), read(name));
    if (process.argv.includes("--write")) writeFileSync(path.join(FOLDER, expected), found);
    assert.strictEqual(found, read(expected));
  });
}

test("the samples show every scope that the grammar gives", () => {
  const given = JSON.stringify(readGrammar()).matchAll(/"name":"([\w.-]+\.edgefile)"/g);
  const shown = SAMPLES.map((name) => read(name.replace(".edge", ".scopes"))).join("\n");
  const missing = [...new Set([...given].map(([, scope]) => scope))].filter((scope) => !shown.includes(`| ${scope}: `));
  assert.deepStrictEqual(missing, []);
});

test("a fenced block of Markdown is coloured as an Edgefile", async () => {
  const scopes = await scopesIn("text.html.markdown", "# x\n```edgefile\n:80 {\n    log\n}\n```\nlog\n");
  assert.deepStrictEqual(scopes.get("log"), "keyword.other.directive.edgefile");
  assert.strictEqual(scopes.get("# x"), "text.html.markdown");
});

function readGrammar() {
  return JSON.parse(readFileSync(path.join(__dirname, "..", "syntaxes", "edgefile.tmLanguage.json"), "utf8"));
}
