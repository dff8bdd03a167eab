" Writes what Vim's syntax makes of the file that is being edited: a line for each of its lines, with the group of each byte.
let s:lines = []
for s:line in range(1, line("$"))
  let s:groups = []
  for s:column in range(1, len(getline(s:line)))
    call add(s:groups, synIDattr(synID(s:line, s:column, 1), "name"))
  endfor
  call add(s:lines, join(s:groups, " "))
endfor
call writefile(s:lines, $OUT)
