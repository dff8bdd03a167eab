" Vim filetype plugin: how comments, formatting and checking work in an Edgefile.

if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=#\ %s comments=:#
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal iskeyword+=-
" gggqG formats the file with the program itself; :make fills the quickfix list with its problems.
setlocal formatprg=edge\ fmt\ -
setlocal makeprg=edge\ validate\ %:S
setlocal errorformat=%Eerror[%.%#]:\ %m,%Wwarning[%.%#]:\ %m,%Z\ %#-->\ %f:%l:%c,%-G%.%#

let b:undo_ftplugin = "setlocal commentstring< comments< expandtab< shiftwidth< softtabstop< iskeyword< formatprg< makeprg< errorformat<"
