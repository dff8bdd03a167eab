// Where the program `edge` is, and what to say if it is nowhere. Knows nothing of VS Code.
const { constants } = require("node:fs");
const { access } = require("node:fs/promises");
const path = require("node:path");

/**
 * The places where `edge` may be, in the order in which they are tried.
 *
 * @param {object} where
 * @param {string} where.configured the setting `edgescript.path`; "" if it is not set
 * @param {string[]} where.folders the paths of the workspace folders
 * @param {NodeJS.ProcessEnv} where.environment
 * @param {NodeJS.Platform} where.platform
 * @returns {string[]}
 */
function places({ configured, folders, environment, platform }) {
  if (!configured) {
    return [...folders.map((folder) => inVenv(folder, platform)), ...onPath("edge", environment, platform)];
  }
  const home = environment.HOME ?? environment.USERPROFILE ?? "";
  const written = configured
    .replace(/^~(?=[/\\]|$)/, () => home)
    .replaceAll("${workspaceFolder}", () => folders[0] ?? "");
  if (path.isAbsolute(written)) return [written];
  if (/[/\\]/.test(written)) return folders.map((folder) => path.join(folder, written));
  return onPath(written, environment, platform);
}

function inVenv(folder, platform) {
  return platform === "win32"
    ? path.join(folder, ".venv", "Scripts", "edge.exe")
    : path.join(folder, ".venv", "bin", "edge");
}

function onPath(name, environment, platform) {
  const folders = (environment.PATH ?? environment.Path ?? "").split(path.delimiter).filter(Boolean);
  const file = platform === "win32" && !path.extname(name) ? `${name}.exe` : name;
  return folders.map((folder) => path.join(folder, file));
}

/** The first of the places that can be executed, or undefined. */
async function first(tried) {
  for (const place of tried) {
    try {
      await access(place, constants.X_OK);
      return place;
    } catch {
      // Not there, or not to be executed: the next one.
    }
  }
  return undefined;
}

/** What to say where `edge` was not found. */
function notFound(configured) {
  return configured
    ? `EdgeScript: there is no program "${configured}"; the setting edgescript.path names it. Highlighting works without it.`
    : 'EdgeScript: the program "edge" is neither in .venv of this folder nor on the PATH. Install EdgeScript, or say where its program is in the setting edgescript.path. Highlighting works without it.';
}

module.exports = { first, notFound, places };
