autocmd BufNewFile,BufRead Edgefile,*.Edgefile,*.edge setfiletype edgefile
