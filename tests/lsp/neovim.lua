-- What a user of Neovim does with a file that has mistakes; what comes back is written down as JSON.
-- Neovim 0.7 is enough. The environment names the program, the file and where the answers go.
local answers = {}

-- The configuration of the guide.
vim.cmd("luafile " .. vim.fn.fnameescape(vim.env.EDGE_CONFIGURATION))
vim.cmd("edit " .. vim.fn.fnameescape(vim.env.EDGE_FILE))
local buffer = vim.api.nvim_get_current_buf()
local client
vim.wait(30000, function()
  client = next(vim.lsp.buf_get_clients(buffer))
  return client
end, 20)

local function problems()
  local found = {}
  for _, each in ipairs(vim.diagnostic.get(buffer)) do
    table.insert(found, { line = each.lnum, column = each.col, code = each.code, message = each.message })
  end
  return found
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), "\n")
end

local function ask(method, params)
  local found = vim.lsp.buf_request_sync(buffer, method, params, 30000) or {}
  local answer = found[client] or {}
  assert(answer.result, vim.inspect(found))
  return answer.result
end

local function at(line, character)
  return { textDocument = vim.lsp.util.make_text_document_params(buffer), position = { line = line, character = character } }
end

local function wait_for(count)
  return vim.wait(30000, function() return #problems() == count end, 20)
end

local function run()
  answers.shown = wait_for(1)
  answers.problems = problems()

  -- Type a line, and ask what may stand in it.
  vim.api.nvim_buf_set_lines(buffer, 2, 2, false, { "  resp" })
  answers.completion = {}
  for _, item in ipairs(ask("textDocument/completion", at(2, 6)).items) do
    table.insert(answers.completion, item.label)
  end
  vim.api.nvim_buf_set_lines(buffer, 2, 3, false, {})

  answers.hover = ask("textDocument/hover", at(1, 4)).contents.value

  local params = at(2, 2)
  params.range = { start = params.position, ["end"] = params.position }
  params.context = { diagnostics = vim.lsp.diagnostic.get_line_diagnostics(buffer, 2) }
  -- There are none until the text of now has been looked through.
  local action
  vim.wait(30000, function()
    action = ask("textDocument/codeAction", params)[1]
    return action
  end, 20)
  answers.action = action.title
  vim.lsp.util.apply_workspace_edit(action.edit, vim.lsp.get_client_by_id(client).offset_encoding)
  answers.mended = text()
  answers.clean = wait_for(0)

  vim.lsp.buf.formatting_sync({}, 30000)
  answers.formatted = text()
end

local fine, message = pcall(run)
answers.error = not fine and message or nil
vim.lsp.stop_client(client)
vim.wait(30000, function() return vim.lsp.client_is_stopped(client) end, 20)
answers.stopped = vim.lsp.client_is_stopped(client)
vim.fn.writefile({ vim.fn.json_encode(answers) }, vim.env.EDGE_ANSWERS)
vim.cmd("qall!")
