" Vim indent file: one step in behind a line that ends with a brace, one step out at the brace that closes it.

if exists("b:did_indent")
  finish
endif
let b:did_indent = 1

setlocal indentexpr=EdgefileIndent() indentkeys=0},o,O,!^F
let b:undo_indent = "setlocal indentexpr< indentkeys<"

if exists("*EdgefileIndent")
  finish
endif

function EdgefileIndent()
  let above = prevnonblank(v:lnum - 1)
  if above == 0
    return 0
  endif
  let indent = indent(above)
  if getline(above) =~# '{\s*\%(\s#.*\)\?$'
    let indent += shiftwidth()
  endif
  if getline(v:lnum) =~# '^\s*}'
    let indent -= shiftwidth()
  endif
  return indent
endfunction
