// When the language server is started and stopped, and what is said when it cannot be.
const assert = require("node:assert");
const { test } = require("node:test");
const { OPEN_SETTINGS, RETRY, Session } = require("../src/session");

/** A session with a world that writes down what happened. `process.execPath` is a program that surely is there. */
function world({ path = process.execPath, enabled = true, fails = [], choices = [] } = {}) {
  const happened = [];
  const settings = { path, enabled };
  const session = new Session({
    settings: () => settings,
    folders: () => [],
    connect: (command) => ({
      start: async () => {
        if (fails.shift()) throw new Error("it has no such command");
        happened.push(`started ${command === process.execPath ? "the program" : command}`);
      },
      stop: async () => happened.push("stopped"),
    }),
    complain: async (message) => {
      happened.push(message);
      return choices.shift();
    },
    openSettings: () => happened.push("settings opened"),
  });
  return { happened, session, settings };
}

test("it starts the program that is configured", async () => {
  const { happened, session } = world();
  await session.start();
  assert.deepStrictEqual(happened, ["started the program"]);
});

test("it starts one server, however often it is asked", async () => {
  const { happened, session } = world();
  await Promise.all([session.start(), session.start(), session.start()]);
  assert.deepStrictEqual(happened, ["started the program"]);
});

test("a restart stops the old server before there is a new one", async () => {
  const { happened, session } = world();
  await Promise.all([session.start(), session.restart()]);
  assert.deepStrictEqual(happened, ["started the program", "stopped", "started the program"]);
});

test("where it is switched off, nothing starts and nothing is said", async () => {
  const { happened, session } = world({ enabled: false });
  await session.start();
  assert.deepStrictEqual(happened, []);
});

test("switching it off stops the server", async () => {
  const { happened, session, settings } = world();
  await session.start();
  settings.enabled = false;
  await session.restart();
  assert.deepStrictEqual(happened, ["started the program", "stopped"]);
});

test("a program that is not there is told, and the setting can be opened", async () => {
  const { happened, session } = world({ path: "/nowhere/edge", choices: [OPEN_SETTINGS] });
  await session.start();
  assert.match(happened[0], /no program "\/nowhere\/edge"/);
  assert.strictEqual(happened[1], "settings opened");
});

test("a server that cannot be started is told, and tried again when that is chosen", async () => {
  const { happened, session } = world({ fails: [true], choices: [RETRY] });
  await session.start();
  await new Promise(setImmediate);
  await session.start();
  assert.match(happened[0], /could not be started: it has no such command/);
  assert.deepStrictEqual(happened.slice(1), ["started the program"]);
});

test("stopping what never started is no error", async () => {
  const { happened, session } = world();
  await session.stop();
  assert.deepStrictEqual(happened, []);
});
