// What the grammar makes of a text: for each line, its parts below it, each with its innermost scope.
const { readFileSync } = require("node:fs");
const path = require("node:path");
const oniguruma = require("vscode-oniguruma");
const textmate = require("vscode-textmate");

const ROOT = path.join(__dirname, "..");
const WASM = require.resolve("vscode-oniguruma/release/onig.wasm");

async function grammar(scope = "source.edgefile") {
  await oniguruma.loadWASM(readFileSync(WASM).buffer.slice(0));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => {
      const file = path.join(ROOT, "syntaxes", "edgefile.tmLanguage.json");
      return textmate.parseRawGrammar(readFileSync(file, "utf8"), file);
    },
  });
  return registry.loadGrammar(scope);
}

function coloured(grammar, text) {
  let stack = textmate.INITIAL;
  const told = [];
  for (const line of text.split("\n")) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
    stack = ruleStack;
    told.push(line, ...parts(line, tokens).map(([scope, text]) => `    | ${scope}: ${text}`));
  }
  return told.join("\n") + "\n";
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
  return runs.map(([scope, text]) => [scope, text.trim()]).filter(([scope, text]) => scope !== "source.edgefile" && text);
}

module.exports = { coloured, grammar };
