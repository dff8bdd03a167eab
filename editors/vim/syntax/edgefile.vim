" Vim syntax file
" Language: Edgefile
" Written by `make generate`; not to be changed by hand.

if exists("b:current_syntax")
  finish
endif

syntax match edgefileContinuation /\v\\[ \t]*\n/ contained
syntax match edgefileConstant /\v\S@1<!%(most_recently_modified|first_exist_fallback|private_ranges|smallest_size|largest_size|strip_prefix|strip_suffix|first_exist|path_regexp|round_robin|http\/1\.0\+|http\/1\.1\+|authpriv|combined|http\/1\.0|http\/1\.1|journald|security|template|WARNING|b3multi|console|discard|http\/2\+|http\/3\+|replace|client|common|daemon|http\/2|http\/3|inside|jaeger|local0|local1|local2|local3|local4|local5|local6|local7|logfmt|memory|random|server|stderr|stdout|syslog|DEBUG|ERROR|clock|first|https|plain|query|redis|INFO|asgi|auth|cron|disk|drop|file|grpc|gzip|hash|http|json|kern|mail|news|otlp|user|uucp|wrap|wsgi|zstd|ftp|lpr|ntp|off|w3c|b3|br|on)%(\S)@!/ contained
syntax match edgefilePlaceholder /\v%(\\)@<!\{%(args%(\.[A-Za-z0-9_-]+|\[[0-9:]+\])%(:%([^{}\n]|\{[^{}\n]*\})*)?|[A-Za-z_][A-Za-z0-9_.-]*)\}/ contained
syntax match edgefileEnvironment /\v%(\\)@<!\{\$[^{}: \t]+%(:%([^{}\n]|\{[^{}\n]*\})*)?\}/ contained
syntax match edgefileNumber /\v\S@1<!%([+-]?\d+%(\.\d+)?\%?|%(\d+%(\.\d+)?%(us|µs|ms|s|m|h|d))+|\d+%(\.\d+)?%([KMGT]i?)?B|\d+\/[0-9.]*%(us|µs|ms|s|m|h|d)|[1-5]xx)%(\S)@!/ contained
syntax match edgefileNamedMatcher /\v\S@1<!\@[A-Za-z0-9_-]+%(\S)@!/ contained
syntax match edgefileEscape /\v\\["\\nt{}]/ contained
syntax match edgefileQuoted /\v\S@1<!"%([^"\\]|\\.)*/ contained
syntax region edgefileQuoted start=/\v\S@1<!"%(%([^"\\]|\\.)*")@=/ end=/"/ contained contains=edgefilePlaceholder,edgefileEnvironment,edgefileEscape
syntax region edgefileRaw start=/\v\S@1<!`/ end=/`/ contained contains=edgefilePlaceholder,edgefileEnvironment
syntax region edgefileHeredoc start=/\v\S@1<!\<\<\z([A-Za-z_][A-Za-z0-9_-]*)[ \t]*$/ end=/\v^\s*\z1\S@!/ contained contains=edgefilePlaceholder,edgefileEnvironment
syntax match edgefileComment /\v\S@1<!#.*/
syntax cluster edgefileArguments contains=edgefileContinuation,edgefileConstant,edgefilePlaceholder,edgefileEnvironment,edgefileNumber,edgefileNamedMatcher,edgefileQuoted,edgefileRaw,edgefileHeredoc,edgefileComment

" stand-in
syntax region edgefileInStandInLine0 matchgroup=edgefileTestWord start=/\v%(^[ \t]*)@<=%(header|status|delay|body|fail)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax cluster edgefileInStandIn contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInStandInLine0
syntax region edgefileInStandInBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInStandIn contained

" test
syntax region edgefileInTestLine2 matchgroup=edgefileTestWord start=/\v%(^[ \t]*)@<=%(request|header|repeat|after|body|from|at)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax match edgefileInTestLine1Names /\v\S@1<!%(upstream|header|method|status|abort|cache|route|body|none|uri)%(\S)@!/ contained
highlight default link edgefileInTestLine1Names edgefileSubject
syntax region edgefileInTestLine1 matchgroup=edgefileTestWord start=/\v%(^[ \t]*)@<=%(expect)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInTestLine1Names,edgefileInDirectivesBlock contained
syntax region edgefileInTestLine0 matchgroup=edgefileTestWord start=/\v%(^[ \t]*)@<=%(upstream)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInStandInBlock contained
syntax cluster edgefileInTest contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInTestLine0,edgefileInTestLine1,edgefileInTestLine2
syntax region edgefileInTestBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInTest contained

" matchers
syntax match edgefileInMatchersLine1Names /\v\S@1<!%(header_regexp|path_regexp|expression|client_ip|remote_ip|protocol|cookie|header|method|scheme|query|host|path|not)%(\S)@!/ contained
highlight default link edgefileInMatchersLine1Names edgefileMatcher
syntax region edgefileInMatchersLine1 matchgroup=edgefileMatcher start=/\v%(^[ \t]*)@<=%(header_regexp|path_regexp|expression|client_ip|remote_ip|protocol|cookie|header|method|scheme|query|host|path|not)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInMatchersLine1Names,edgefileInMatchersBlock contained
syntax region edgefileInMatchersLine0 matchgroup=edgefileKeyword start=/\v%(^[ \t]*)@<=%(import)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax cluster edgefileInMatchers contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInMatchersLine0,edgefileInMatchersLine1
syntax region edgefileInMatchersBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInMatchers contained

" settings
syntax region edgefileInSettingsLine2 matchgroup=edgefileSetting start=/\v%(^[ \t]*)@<=%(client_ip_headers|trusted_proxies|grace_period|timeouts|metrics|storage|tracing|workers|limits|python|admin|log)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInOptionsBlock contained
syntax match edgefileInSettingsLine1Names /\v\S@1<!%(header_regexp|path_regexp|expression|client_ip|remote_ip|protocol|cookie|header|method|scheme|query|host|path|not)%(\S)@!/ contained
highlight default link edgefileInSettingsLine1Names edgefileMatcher
syntax region edgefileInSettingsLine1 matchgroup=edgefileNamedMatcher start=/\v%(^[ \t]*)@<=\@[A-Za-z0-9_-]+/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInSettingsLine1Names,edgefileInMatchersBlock contained
syntax region edgefileInSettingsLine0 matchgroup=edgefileKeyword start=/\v%(^[ \t]*)@<=%(import)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax cluster edgefileInSettings contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInSettingsLine0,edgefileInSettingsLine1,edgefileInSettingsLine2
syntax region edgefileInSettingsBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInSettings contained

" options
syntax region edgefileInOptionsLine2 matchgroup=edgefileField start=/\v%(^[ \t]*)@<=[^ \t#{}"`][^ \t{]*/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInOptionsBlock contained
syntax region edgefileInOptionsLine1 matchgroup=edgefileOption start=/\v%(^[ \t]*)@<=%(tls_insecure_skip_verify|response_header_timeout|sentinel_password|max_header_count|connect_timeout|max_connections|max_header_size|startup_timeout|structured_data|tls_client_auth|tls_server_name|canonical_uris|minimum_length|read_body_idle|tls_trust_pool|max_body_size|precompressed|idle_timeout|max_uri_size|min_duration|service_name|unresponsive|certificate|connections|header_down|read_header|server_name|background|trust_pool|write_idle|attribute|forwarded|header_up|interface|keepalive|pass_thru|propagate|app_name|compress|dotfiles|endpoint|facility|hash_key|interval|keep_for|max_size|min_rate|password|protocol|symlinks|balance|default|factory|origins|rewrite|service|threads|timeout|waiting|browse|budget|cookie|errors|fields|format|header|method|output|parent|policy|prefer|prefix|rename|rotate|sample|status|close|defer|every|index|level|limit|match|query|retry|token|types|users|drop|hash|hide|idle|ipv4|ipv6|keep|mask|mime|mode|once|otlp|root|size|slow|span|user|add|age|key|set|tls|via|at|ca|to)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInOptionsBlock contained
syntax region edgefileInOptionsLine0 matchgroup=edgefileKeyword start=/\v%(^[ \t]*)@<=%(import)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax cluster edgefileInOptions contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInOptionsLine0,edgefileInOptionsLine1,edgefileInOptionsLine2
syntax region edgefileInOptionsBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInOptions contained

" directives
syntax region edgefileInDirectivesLine4 matchgroup=edgefileOption start=/\v%(^[ \t]*)@<=%(tls_insecure_skip_verify|response_header_timeout|sentinel_password|max_header_count|connect_timeout|max_connections|max_header_size|startup_timeout|structured_data|tls_client_auth|tls_server_name|canonical_uris|minimum_length|read_body_idle|tls_trust_pool|max_body_size|precompressed|idle_timeout|max_uri_size|min_duration|service_name|unresponsive|certificate|connections|header_down|read_header|server_name|background|trust_pool|write_idle|attribute|forwarded|header_up|interface|keepalive|pass_thru|propagate|app_name|compress|dotfiles|endpoint|facility|hash_key|interval|keep_for|max_size|min_rate|password|protocol|symlinks|balance|default|factory|origins|rewrite|service|threads|timeout|waiting|browse|budget|cookie|errors|fields|format|header|method|output|parent|policy|prefer|prefix|rename|rotate|sample|status|close|defer|every|index|level|limit|match|query|retry|token|types|users|drop|hash|hide|idle|ipv4|ipv6|keep|mask|mime|mode|once|otlp|root|size|slow|span|user|add|age|key|set|tls|via|at|ca|to)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInOptionsBlock contained
syntax region edgefileInDirectivesLine3 matchgroup=edgefileDirective start=/\v%(^[ \t]*)@<=%(replace_status|request_header|request_body|log_append|templates|try_files|log_skip|metrics|replace|respond|rewrite|encode|header|method|python|abort|error|files|proxy|redir|trace|bind|root|vars|app|log|map|uri)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInOptionsBlock contained
syntax region edgefileInDirectivesLine2 matchgroup=edgefileGroup start=/\v%(^[ \t]*)@<=%(handle_errors|handle_path|intercept|handle|route)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax match edgefileInDirectivesLine1Names /\v\S@1<!%(header_regexp|path_regexp|expression|client_ip|remote_ip|protocol|cookie|header|method|scheme|query|host|path|not)%(\S)@!/ contained
highlight default link edgefileInDirectivesLine1Names edgefileMatcher
syntax region edgefileInDirectivesLine1 matchgroup=edgefileNamedMatcher start=/\v%(^[ \t]*)@<=\@[A-Za-z0-9_-]+/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesLine1Names,edgefileInMatchersBlock contained
syntax region edgefileInDirectivesLine0 matchgroup=edgefileKeyword start=/\v%(^[ \t]*)@<=%(import)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock contained
syntax cluster edgefileInDirectives contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInDirectivesLine0,edgefileInDirectivesLine1,edgefileInDirectivesLine2,edgefileInDirectivesLine3,edgefileInDirectivesLine4
syntax region edgefileInDirectivesBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInDirectives contained

" file
syntax region edgefileInFileLine7 matchgroup=edgefileSite start=/\v%(^[ \t]*)@<=%([^ \t#{}"`,(@][^ \t{},]*%(\{[^{} \t]*\}[^ \t{},]*)*|\{\$[^{} \t]*\}[^ \t{},]*)%(,[ \t]*%([^ \t#{}"`,(@][^ \t{},]*%(\{[^{} \t]*\}[^ \t{},]*)*|\{\$[^{} \t]*\}[^ \t{},]*))*,?%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock
syntax region edgefileInFileLine6 matchgroup=edgefileDirective start=/\v%(^[ \t]*)@<=%(replace_status|request_header|request_body|log_append|templates|try_files|log_skip|metrics|replace|respond|rewrite|encode|header|method|python|abort|error|files|proxy|redir|trace|bind|root|vars|app|log|map|uri)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInOptionsBlock
syntax region edgefileInFileLine5 matchgroup=edgefileGroup start=/\v%(^[ \t]*)@<=%(handle_errors|handle_path|intercept|handle|route)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock
syntax match edgefileInFileLine4Names /\v\S@1<!%(header_regexp|path_regexp|expression|client_ip|remote_ip|protocol|cookie|header|method|scheme|query|host|path|not)%(\S)@!/ contained
highlight default link edgefileInFileLine4Names edgefileMatcher
syntax region edgefileInFileLine4 matchgroup=edgefileNamedMatcher start=/\v%(^[ \t]*)@<=\@[A-Za-z0-9_-]+/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInFileLine4Names,edgefileInMatchersBlock
syntax region edgefileInFileLine3 matchgroup=edgefileKeyword start=/\v%(^[ \t]*)@<=%(import)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock
syntax region edgefileInFileLine2 matchgroup=edgefileBrace start=/\v%(^[ \t]*)@<=\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInSettings
syntax region edgefileInFileLine1 matchgroup=edgefileSnippet start=/\v%(^[ \t]*)@<=\([A-Za-z0-9_-]+\)/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInDirectivesBlock
syntax region edgefileInFileLine0 matchgroup=edgefileTest start=/\v%(^[ \t]*)@<=%(test)%(\S)@!/ matchgroup=NONE end=/$/ contains=@edgefileArguments,edgefileInTestBlock
syntax cluster edgefileInFile contains=@edgefileArguments,edgefileInDirectivesBlock,edgefileInFileLine0,edgefileInFileLine1,edgefileInFileLine2,edgefileInFileLine3,edgefileInFileLine4,edgefileInFileLine5,edgefileInFileLine6,edgefileInFileLine7
syntax region edgefileInFileBlock matchgroup=edgefileBrace start=/\v\S@1<!\{%([ \t]*%(#.*)?$)@=/ end=/\v^[ \t]*\}%(\S)@!/ contains=@edgefileInFile contained

highlight default link edgefileComment Comment
highlight default link edgefileQuoted String
highlight default link edgefileRaw String
highlight default link edgefileHeredoc String
highlight default link edgefileEscape SpecialChar
highlight default link edgefilePlaceholder Identifier
highlight default link edgefileEnvironment Macro
highlight default link edgefileSite Title
highlight default link edgefileSnippet Function
highlight default link edgefileTest Structure
highlight default link edgefileNamedMatcher Identifier
highlight default link edgefileKeyword Include
highlight default link edgefileGroup Conditional
highlight default link edgefileDirective Statement
highlight default link edgefileOption Type
highlight default link edgefileField Label
highlight default link edgefileMatcher Operator
highlight default link edgefileSetting Type
highlight default link edgefileTestWord Statement
highlight default link edgefileSubject Type
highlight default link edgefileNumber Number
highlight default link edgefileConstant Constant
highlight default link edgefileBrace Delimiter
highlight default link edgefileContinuation SpecialChar

syntax sync minlines=500
let b:current_syntax = "edgefile"
