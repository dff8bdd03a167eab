// What the grammars make of a text: for each line, its parts below it, each with its innermost scope.
const { readFileSync } = require("node:fs");
const path = require("node:path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const SYNTAXES = path.join(__dirname, "..", "syntaxes");
const FILES = {
  "source.edgefile": path.join(SYNTAXES, "edgefile.tmLanguage.json"),
  "markdown.edgefile.codeblock": path.join(SYNTAXES, "markdown.json"),
};
// Stands for the grammar of Markdown that VS Code has, as far as another one is put into it.
const MARKDOWN = { scopeName: "text.html.markdown", patterns: [], repository: {} };

const ready = oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));

async function grammar(scope = "source.edgefile") {
  await ready;
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (name) => {
      const file = FILES[name];
      return file ? textmate.parseRawGrammar(readFileSync(file, "utf8"), file) : MARKDOWN;
    },
    getInjections: (name) => (name === MARKDOWN.scopeName ? ["markdown.edgefile.codeblock"] : []),
  });
  return registry.loadGrammar(scope);
}

function coloured(grammar, text) {
  const told = [];
  for (const [line, runs] of lines(grammar, text)) {
    const named = runs.filter(([scope]) => scope !== "source.edgefile");
    told.push(line, ...named.map(([scope, part]) => `    | ${scope}: ${part}`));
  }
  return told.join("\n") + "\n";
}

function* lines(grammar, text) {
  let stack = textmate.INITIAL;
  for (const line of text.split("\n")) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    yield [line, parts(line, tokens)];
  }
}

// Neighbours of one scope are one part; blanks at the ends of a part say nothing.
function parts(line, tokens) {
  const runs = [];
  for (const { startIndex, endIndex, scopes } of tokens) {
    const scope = scopes.at(-1);
    const text = line.slice(startIndex, endIndex);
    if (runs.at(-1)?.[0] === scope) runs.at(-1)[1] += text;
    else runs.push([scope, text]);
  }
  return runs.map(([scope, text]) => [scope, text.trim()]).filter(([, text]) => text);
}

// The scope of each part of a text, where it stands first.
async function scopesIn(name, text) {
  const found = new Map();
  for (const [, runs] of lines(await grammar(name), text)) {
    for (const [scope, part] of runs) if (!found.has(part)) found.set(part, scope);
  }
  return found;
}

module.exports = { coloured, grammar, scopesIn };
